package credential

import (
	"cmp"
	"time"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// Campaign decides about the credentials of a campaign.
func Campaign(declared *v1alpha1.Campaign, o *Observed, now time.Time, from Source) *Decision {
	const at = "spec.token.secretRef"
	r := newResolver(o)
	spec := &declared.Spec.Token
	switch {
	case !o.Given:
		r.Generated = r.generateToken(spec, from)
		r.values[rotation.Campaign] = []string{r.Generated.Key}
	case o.Caller.Err != nil:
		r.note(o.Caller.problem(at, nil))
	default:
		token, err := Token(o.Caller.Data, fieldOf(spec.SecretRef, v1alpha1.DefaultTokenField))
		r.take(at, rotation.Campaign, token, true, err)
	}
	r.advance(declared.ForwardSecrets(), rotation.Input{
		Now: now, Overlap: spec.Overlap.Duration, Revoked: spec.Revoked, NewID: from.ID,
	})
	r.Key = r.accepted(rotation.Campaign, "token", "spec.token.revision")
	r.Next = r.Decision.Keyring.boundary(0)
	return r.done(r.tokenIsWell(spec))
}

// generateToken keeps the generated token until the next one is asked for, and replaces what was deleted or broken.
func (r *resolver) generateToken(spec *v1alpha1.TokenSpec, from Source) *Generated {
	declared := max(spec.Revision, 1)
	// A removed annotation is no request for another token.
	generatedFor := cmp.Or(r.Revision, declared)
	g := &Generated{Revision: max(declared, generatedFor)}
	held, err := Token(r.Caller.Data, v1alpha1.DefaultTokenField)
	if err == nil && declared <= generatedFor {
		g.Key = held
	} else {
		g.Key, g.Fresh = from.Key(), true
	}
	return g
}

// tokenIsWell says where the token is, and whether URLs may have it, too.
func (r *resolver) tokenIsWell(spec *v1alpha1.TokenSpec) Says {
	message := "The generated token is in Secret " + r.Caller.Name + "."
	if r.Given {
		message = "The token is in Secret " + r.Caller.Name + "."
	}
	if spec.InQuery {
		return Says{true, v1alpha1.ReasonTokenInQuery, message +
			" The click API also takes it in a URL, as spec.token.inQuery says: servers and proxies log URLs."}
	}
	return Says{true, v1alpha1.ReasonResolved, message}
}
