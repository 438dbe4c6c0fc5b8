package campaign

import (
	"cmp"
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
	campaign *v1alpha1.Campaign
	// endpoint is nil while there is none of that name.
	endpoint *v1alpha1.PostbackEndpoint
	// fleetName serves the endpoint; own: it is the endpoint's own. fleet is nil while there is none of that name.
	fleetName types.NamespacedName
	own       bool
	fleet     *v1alpha1.ReceiverFleet
	// secret holds the token: the user's Secret, or the generated one.
	secret secret
	// headers are the values of the forwards' secret headers; headerProblem says why one is missing, nil if none is.
	headers       render.HeaderValues
	headerProblem *render.HeaderProblem
	// generatedFor is the revision of the generated token; 0 when it is not known.
	generatedFor int64
	// ring is the keyring so far, ringData how it stands in its Secret; nil when there is none.
	ring     rotation.Ring
	ringData []byte
	// urls are the endpoint's snippets, of which its addresses go into those of the campaign.
	urls map[string][]byte
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

func (o observer) observe(ctx context.Context, campaign *v1alpha1.Campaign) (*scope, error) {
	s := &scope{campaign: campaign}
	if err := o.target(ctx, s); err != nil {
		return nil, err
	}
	if err := o.token(ctx, s); err != nil {
		return nil, err
	}
	var err error
	s.headers, s.headerProblem, err = render.ReadHeaders(campaign.ForwardSecrets(), func(name string) (map[string][]byte, bool, error) {
		return o.secrets.Shared(ctx, types.NamespacedName{Namespace: campaign.Namespace, Name: name}, cmp.Or(s.fleetName.Namespace, campaign.Namespace))
	})
	if err != nil {
		return nil, err
	}
	ring, err := o.made(ctx, resources.CampaignKeyringSecretName(campaign), campaign.Namespace)
	if err != nil {
		return nil, err
	}
	s.ringData = ring.Data[v1alpha1.KeyringField]
	s.ring, err = rotation.Parse(s.ringData)
	return s, err
}

// target finds the endpoint and its fleet.
func (o observer) target(ctx context.Context, s *scope) error {
	var endpoint v1alpha1.PostbackEndpoint
	err := o.cache.Get(ctx, types.NamespacedName{Namespace: s.campaign.Namespace, Name: s.campaign.Spec.EndpointRef.Name}, &endpoint)
	if err != nil || endpoint.DeletionTimestamp != nil {
		return ignoreNotFound(err, "reading the PostbackEndpoint")
	}
	s.endpoint = &endpoint
	s.fleetName, s.own = render.FleetOf(&endpoint)
	snippets, err := o.made(ctx, resources.SnippetsSecretName(&endpoint), endpoint.Namespace)
	if err != nil {
		return err
	}
	s.urls = snippets.Data
	var fleet v1alpha1.ReceiverFleet
	if err := o.cache.Get(ctx, s.fleetName, &fleet); err != nil {
		return ignoreNotFound(err, "reading the ReceiverFleet")
	}
	s.fleet = &fleet
	return nil
}

func ignoreNotFound(err error, doing string) error {
	if client.IgnoreNotFound(err) == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func (o observer) token(ctx context.Context, s *scope) error {
	if ref := s.campaign.Spec.Token.SecretRef; ref != nil {
		found, err := o.secrets.Read(ctx, types.NamespacedName{Namespace: s.campaign.Namespace, Name: ref.Name},
			lookup.Owner{Label: v1alpha1.LabelCampaign, Name: s.campaign.Name})
		s.secret = secret{name: ref.Name, found: found != nil}
		if found != nil {
			s.secret.data = found.Data
			if !found.Readable {
				s.secret.denied = render.ErrNotReadable
			}
		}
		return err
	}
	s.secret.name = resources.TokenSecretName(s.campaign)
	generated, err := o.made(ctx, s.secret.name, s.campaign.Namespace)
	if err != nil {
		return err
	}
	s.secret.found, s.secret.data = generated.UID != "", generated.Data
	// What is no number was not written by the operator.
	s.generatedFor, _ = strconv.ParseInt(generated.Annotations[v1alpha1.AnnotationKeyRevision], 10, 64)
	return nil
}

// made reads a Secret of the operator's; an empty one stands for none.
func (o observer) made(ctx context.Context, name, namespace string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := o.own.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return &corev1.Secret{}, nil
	}
	if err != nil {
		return &secret, fmt.Errorf("reading a Secret of the operator's: %w", err)
	}
	return &secret, nil
}
