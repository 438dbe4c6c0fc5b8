package offline

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// secretsFile holds the generated Secrets and the keyrings, below the output folder.
const secretsFile = "secrets.yaml"

//nolint:gosec // tells of secrets and is none
const secretsHeader = `# Keys that rendering generated, and keyrings. Keep this file: without it every key is a new one.
# Anyone who can read it can send postbacks. It can be applied to a cluster as it is.
`

// secrets are what the operator would keep in the cluster.
type secrets map[types.NamespacedName]*corev1.Secret

func loadSecrets(dir string) (secrets, error) {
	path := filepath.Join(dir, secretsFile)
	data, err := os.ReadFile(path) //nolint:gosec // the user names the folder
	if errors.Is(err, fs.ErrNotExist) {
		return secrets{}, nil
	}
	if err != nil {
		return nil, err
	}
	loaded := secrets{}
	for document := range bytes.SplitSeq(data, []byte("\n---\n")) {
		var secret corev1.Secret
		if err := yaml.UnmarshalStrict(document, &secret); err != nil || secret.Kind != "Secret" {
			return nil, fmt.Errorf("%s is not the list of Secrets that rendering wrote; repair it or move it away", path)
		}
		loaded[types.NamespacedName{Namespace: secret.Namespace, Name: secret.Name}] = &secret
	}
	return loaded, nil
}

// save writes the file, readable by its owner only, when it would change.
func (s secrets) save(dir string) error {
	if len(s) == 0 {
		return nil
	}
	var out bytes.Buffer
	out.WriteString(secretsHeader)
	names := slices.SortedFunc(maps.Keys(s), byName)
	for i, name := range names {
		if i > 0 {
			out.WriteString("---\n")
		}
		data, err := yaml.Marshal(s[name])
		if err != nil {
			return err
		}
		out.Write(data)
	}
	return replaceFile(filepath.Join(dir, secretsFile), out.Bytes())
}

func byName(a, b types.NamespacedName) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// get returns the Secret's data, nil when there is none.
func (s secrets) get(name types.NamespacedName) map[string][]byte {
	if secret := s[name]; secret != nil {
		return secretData(secret)
	}
	return nil
}

// revision returns for which revision, of those that an annotation tells, a credential was generated; 0 when there is no
// Secret.
func (s secrets) revision(name types.NamespacedName, annotation string) int64 {
	secret := s[name]
	if secret == nil {
		return 0
	}
	revision, err := strconv.ParseInt(secret.Annotations[annotation], 10, 64)
	if err != nil {
		return 1
	}
	return revision
}

// annotate says for which revision a credential of a Secret, which must be there, was generated.
func (s secrets) annotate(name types.NamespacedName, annotation string, revision int64) {
	secret := s[name]
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	secret.Annotations[annotation] = strconv.FormatInt(revision, 10)
}

// set puts a field into a Secret and makes the Secret where there is none. label and owner say whose it is.
func (s secrets) set(name types.NamespacedName, role, label, owner, field, value string) {
	secret := s[name]
	if secret == nil {
		secret = &corev1.Secret{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
			ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name, Labels: map[string]string{
				v1alpha1.LabelManagedBy: v1alpha1.LabelManagedByValue,
				v1alpha1.LabelRole:      role,
				label:                   owner,
			}},
		}
		s[name] = secret
	}
	if secret.StringData == nil {
		secret.StringData = map[string]string{}
	}
	delete(secret.Data, field)
	secret.StringData[field] = value
}

func (s secrets) keyring(name types.NamespacedName) (rotation.Ring, error) {
	ring, err := rotation.Parse(s.get(name)[v1alpha1.KeyringField])
	if err != nil {
		return nil, fmt.Errorf("in Secret %s: %w", name, err)
	}
	return ring, nil
}
