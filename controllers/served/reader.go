package served

import (
	"context"
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/lookup"
)

// Reader reads the credentials of one endpoint or campaign.
type Reader struct {
	// Own finds the operator's Secrets: in the cache, or, where a decision can't be taken back, live.
	Own     client.Reader
	Secrets *lookup.Secrets
	// Namespace of the declaration, Owner of the Secrets that were made for it.
	Namespace string
	Owner     lookup.Owner
}

// Get reads an object, if there is one.
func Get[T any, P interface {
	*T
	client.Object
}](ctx context.Context, reader client.Reader, name types.NamespacedName) (P, error) {
	object := P(new(T))
	if err := reader.Get(ctx, name, object); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil, nil
		}
		return nil, fmt.Errorf("reading %T %s: %w", object, name, err)
	}
	return object, nil
}

// Caller observes the Secret that authenticates callers: the one that ref names, or the generated one of a name.
func (r Reader) Caller(
	ctx context.Context, o *credential.Observed, ref *v1alpha1.SecretKeyReference, generated string,
) (err error) {
	if o.Given = ref != nil; o.Given {
		o.Caller, err = r.Named(ctx, ref.Name, "")
		return err
	}
	made, err := lookup.Made(ctx, r.Own, r.Namespace, generated)
	if err != nil {
		return err
	}
	o.Caller = credential.Secret{Name: generated, Data: made.Data}
	// What is no number was not written by the operator.
	o.Revision, _ = strconv.ParseInt(made.Annotations[v1alpha1.AnnotationKeyRevision], 10, 64)
	o.ClientRevision, _ = strconv.ParseInt(made.Annotations[v1alpha1.AnnotationClientKeyRevision], 10, 64)
	return nil
}

// Named reads a Secret that the declaration names, as [lookup.Secrets.Named] does.
func (r Reader) Named(ctx context.Context, name, to string) (credential.Secret, error) {
	return r.Secrets.Named(ctx, types.NamespacedName{Namespace: r.Namespace, Name: name}, r.Owner, to)
}

// Headers observes the secret headers of forwards, which receivers in the namespace to send.
func (r Reader) Headers(
	ctx context.Context, o *credential.Observed, refs []v1alpha1.ForwardSecretKey, to string,
) (err error) {
	o.Headers, err = credential.ReadHeaders(refs, func(name string) (credential.Secret, error) {
		return r.Secrets.Named(ctx, types.NamespacedName{Namespace: r.Namespace, Name: name}, lookup.Owner{}, to)
	})
	return err
}

// Keyring observes the keyring.
func (r Reader) Keyring(ctx context.Context, o *credential.Observed, name string) error {
	made, err := lookup.Made(ctx, r.Own, r.Namespace, name)
	if err != nil {
		return err
	}
	o.Keyring, err = credential.ParseKeyring(made.Data[v1alpha1.KeyringField])
	return err
}
