package campaign

import (
	"bytes"
	"cmp"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/rotation"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// plan is what ought to be, apart from the status.
type plan struct {
	// generated is the content of the token Secret; nil when the user has one.
	generated *generatedToken
	// ring after what was observed, and its encoding.
	ring     rotation.Ring
	ringData []byte
	// token that sites are to use; empty while there is none.
	token string
	// resolved says what is to be said of the token.
	resolved status.Finding
	// next is the next moment at which time alone changes the plan; zero for none.
	next time.Time
}

type generatedToken struct {
	revision int64
	token    string
	fresh    bool
}

// given is where a plan takes what is not observed.
type given struct {
	now             time.Time
	newToken, newID func() string
}

// changes reports whether the plan changes the token, which must not happen by an outdated view of it.
func (p *plan) changes(s *scope) bool {
	return !bytes.Equal(p.ringData, s.ringData) || p.generated != nil && p.generated.fresh
}

// decide is pure but for the randomness it is given.
func decide(s *scope, from given) *plan {
	p := &plan{}
	spec := &s.campaign.Spec.Token
	observed := map[rotation.Purpose][]string{}
	if spec.SecretRef == nil {
		p.generated = generate(s, from)
		p.token = p.generated.token
		p.resolved = resolvedToken("The generated token is in Secret "+s.secret.name+".", spec)
	} else {
		p.token, p.resolved = readToken(s)
	}
	if p.token != "" {
		observed[rotation.Campaign] = []string{p.token}
	}
	unsent := readHeaders(s, observed)
	p.ring = rotation.Advance(s.ring, rotation.Input{
		Now: from.now, Observed: observed, Overlap: spec.Overlap.Duration, Revoked: spec.Revoked, NewID: from.newID,
	})
	if len(p.ring) > 0 || s.ringData != nil {
		p.ringData = p.ring.Encode()
	}
	if p.token != "" && len(p.ring.Secrets(rotation.Campaign, []string{p.token})) == 0 {
		p.token = ""
		p.resolved = status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretInvalid, fmt.Sprintf(
			"The token in Secret %s is revoked: put another one there, or raise spec.token.revision if it was generated.", s.secret.name))
	}
	if unsent != nil && p.resolved.Status == metav1.ConditionTrue {
		p.resolved = *unsent
	}
	for _, e := range p.ring[rotation.Campaign] {
		if e.RetireAt != nil && !e.Revoked && (p.next.IsZero() || e.RetireAt.Before(p.next)) {
			p.next = *e.RetireAt
		}
	}
	return p
}

// readHeaders says what keeps the forwards' secret headers from being sent; nil if nothing does.
func readHeaders(s *scope, observed map[rotation.Purpose][]string) *status.Finding {
	problem := s.headerProblem
	if problem == nil {
		observed[rotation.Forward] = s.headers.List(s.campaign.ForwardSecrets())
		return nil
	}
	reason, message := v1alpha1.ReasonSecretInvalid, fmt.Sprintf("spec.forwards: Secret %s: %v.", problem.Secret, problem.Err)
	if problem.Missing {
		reason, message = v1alpha1.ReasonSecretNotFound, fmt.Sprintf("spec.forwards: there is no Secret %s.", problem.Secret)
	}
	if problem.Denied != nil {
		reason, message = v1alpha1.ReasonSecretNotReadable, fmt.Sprintf("spec.forwards: Secret %s: %v.", problem.Secret, problem.Denied)
	}
	f := status.False(v1alpha1.ConditionKeyResolved, reason, message+" The campaign is served as it was.")
	return &f
}

// generate keeps the generated token until the next one is asked for, and replaces what was deleted or broken.
func generate(s *scope, from given) *generatedToken {
	declared := max(s.campaign.Spec.Token.Revision, 1)
	// Who removed the annotation has not asked for another token.
	generatedFor := cmp.Or(s.generatedFor, declared)
	held, err := render.Token(s.secret.data, v1alpha1.DefaultTokenField)
	if err == nil && declared <= generatedFor {
		return &generatedToken{revision: generatedFor, token: held}
	}
	return &generatedToken{revision: max(declared, generatedFor), token: from.newToken(), fresh: true}
}

func readToken(s *scope) (string, status.Finding) {
	ref := s.campaign.Spec.Token.SecretRef
	if !s.secret.found {
		return "", status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretNotFound,
			fmt.Sprintf("spec.token.secretRef: there is no Secret %s. What was valid stays valid.", ref.Name))
	}
	if s.secret.denied != nil {
		return "", status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretNotReadable,
			fmt.Sprintf("spec.token.secretRef: Secret %s: %v. What was valid stays valid.", ref.Name, s.secret.denied))
	}
	token, err := render.Token(s.secret.data, cmp.Or(ref.Key, v1alpha1.DefaultTokenField))
	if err != nil { // which shows no value
		return "", status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretInvalid,
			fmt.Sprintf("spec.token.secretRef: Secret %s: %v. What was valid stays valid.", ref.Name, err))
	}
	return token, resolvedToken("The token is in Secret "+ref.Name+".", &s.campaign.Spec.Token)
}

// resolvedToken says that the token is in a Secret, and whether URLs may have it, too.
func resolvedToken(message string, spec *v1alpha1.TokenSpec) status.Finding {
	if spec.InQuery {
		return status.True(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonTokenInQuery, message+
			" The click API also takes it in a URL, as spec.token.inQuery says: servers and proxies log URLs.")
	}
	return status.True(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonResolved, message)
}
