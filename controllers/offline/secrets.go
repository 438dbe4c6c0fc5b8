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
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
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

// revision returns for which revision, of those that an annotation tells, a credential was generated; 0 when that is
// not known.
func (s secrets) revision(name types.NamespacedName, annotation string) int64 {
	secret := s[name]
	if secret == nil {
		return 0
	}
	revision, _ := strconv.ParseInt(secret.Annotations[annotation], 10, 64)
	return revision
}

// put keeps a Secret as the operator would make it, but for the owner, which only a cluster knows.
func (s secrets) put(made *corev1ac.SecretApplyConfiguration) {
	secret := &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: *made.GetNamespace(), Name: *made.GetName(), Labels: made.Labels, Annotations: made.Annotations,
		},
		Type:       *made.Type,
		StringData: map[string]string{},
	}
	for field, value := range made.Data {
		secret.StringData[field] = string(value)
	}
	s[types.NamespacedName{Namespace: secret.Namespace, Name: secret.Name}] = secret
}

func (s secrets) keyring(name types.NamespacedName) (credential.Keyring, error) {
	keyring, err := credential.ParseKeyring(s.get(name)[v1alpha1.KeyringField])
	if err != nil {
		return keyring, fmt.Errorf("in Secret %s: %w", name, err)
	}
	return keyring, nil
}
