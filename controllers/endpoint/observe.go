package endpoint

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/lookup"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// scope is what one reconcile has read.
type scope struct {
	endpoint *v1alpha1.PostbackEndpoint
	// fleetName serves the endpoint; own: it is the endpoint's own.
	fleetName types.NamespacedName
	own       bool
	// fleet is nil while there is none of that name.
	fleet *v1alpha1.ReceiverFleet
	// caller holds the postback key and the click token: the user's Secret, or the generated one.
	caller secret
	// generatedFor is the revision of the generated key; 0 when it is not known.
	generatedFor int64
	// clientFor is the revision of the generated client key; 0 when it is not known.
	clientFor int64
	// signing holds the secrets that sign. It is read only when the endpoint names one.
	signing secret
	// headers are the values of the forwards' secret headers; headerProblem says why one is missing, nil if none is.
	headers       render.HeaderValues
	headerProblem *render.HeaderProblem
	// ring is the keyring so far, ringData how it stands in its Secret; nil when there is none.
	ring     rotation.Ring
	ringData []byte
	// pastedKey is the key in the URL Secret, from which a generated key that somebody deleted is restored.
	pastedKey string
}

// secret is one Secret that was looked for.
type secret struct {
	name  string
	found bool
	data  map[string][]byte
	// denied says why it may not be used although it is there; nil when it may.
	denied error
}

// observer reads. own finds the operator's Secrets: in the cache, or, where a decision can't be taken back, live.
type observer struct {
	cache   client.Reader
	own     client.Reader
	secrets *lookup.Secrets
}

func (o observer) observe(ctx context.Context, endpoint *v1alpha1.PostbackEndpoint) (*scope, error) {
	s := &scope{endpoint: endpoint}
	s.fleetName, s.own = render.FleetOf(endpoint)
	var fleet v1alpha1.ReceiverFleet
	switch err := o.cache.Get(ctx, s.fleetName, &fleet); {
	case err == nil:
		s.fleet = &fleet
	case !apierrors.IsNotFound(err):
		return nil, fmt.Errorf("reading the ReceiverFleet: %w", err)
	}
	if err := o.credentials(ctx, s); err != nil {
		return nil, err
	}
	if signer := endpoint.Spec.Signer(); signer != nil {
		var found *lookup.Secret
		var err error
		if s.signing, found, err = o.users(ctx, endpoint, signer.Secret); err != nil {
			return nil, err
		}
		// Receivers need the secrets themselves, in the configuration that is in the fleet's namespace.
		if to := s.fleetName.Namespace; s.signing.found && s.signing.denied == nil && to != endpoint.Namespace && !found.SharedWith(to) {
			s.signing.denied = render.NotShared(to)
		}
	}
	var err error
	s.headers, s.headerProblem, err = render.ReadHeaders(endpoint.ForwardSecrets(), func(name string) (map[string][]byte, bool, error) {
		return o.secrets.Shared(ctx, types.NamespacedName{Namespace: endpoint.Namespace, Name: name}, s.fleetName.Namespace)
	})
	if err != nil {
		return nil, err
	}
	ring, err := o.made(ctx, resources.KeyringSecretName(endpoint), endpoint)
	if err != nil {
		return nil, err
	}
	s.ringData = ring.Data[v1alpha1.KeyringField]
	s.ring, err = rotation.Parse(s.ringData)
	return s, err
}

func (o observer) credentials(ctx context.Context, s *scope) error {
	var err error
	if ref := s.endpoint.Spec.Key.SecretRef; ref != nil {
		s.caller, _, err = o.users(ctx, s.endpoint, ref.Name)
		return err
	}
	s.caller.name = resources.KeySecretName(s.endpoint)
	generated, err := o.made(ctx, s.caller.name, s.endpoint)
	if err != nil {
		return err
	}
	s.caller.found, s.caller.data = generated.UID != "", generated.Data
	// What is no number was not written by the operator.
	s.generatedFor, _ = strconv.ParseInt(generated.Annotations[v1alpha1.AnnotationKeyRevision], 10, 64)
	s.clientFor, _ = strconv.ParseInt(generated.Annotations[v1alpha1.AnnotationClientKeyRevision], 10, 64)
	pasted, err := o.made(ctx, resources.URLSecretName(s.endpoint), s.endpoint)
	s.pastedKey = string(pasted.Data[v1alpha1.DefaultKeyField])
	return err
}

// made reads a Secret of the operator's; an empty one stands for none.
func (o observer) made(ctx context.Context, name string, endpoint *v1alpha1.PostbackEndpoint) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := o.own.Get(ctx, types.NamespacedName{Namespace: endpoint.Namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return &corev1.Secret{}, nil
	}
	if err != nil {
		return &secret, fmt.Errorf("reading a Secret of the operator's: %w", err)
	}
	return &secret, nil
}

func (o observer) users(ctx context.Context, endpoint *v1alpha1.PostbackEndpoint, name string) (secret, *lookup.Secret, error) {
	found, err := o.secrets.Read(ctx, types.NamespacedName{Namespace: endpoint.Namespace, Name: name},
		lookup.Owner{Label: v1alpha1.LabelEndpoint, Name: endpoint.Name})
	s := secret{name: name, found: found != nil}
	if found != nil {
		s.data = found.Data
		if !found.Readable {
			s.denied = render.ErrNotReadable
		}
	}
	return s, found, err
}
