package credential

import (
	"bytes"
	"cmp"
	"fmt"
	"time"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// Source makes what is new.
type Source struct {
	// Key returns a fresh key or token, ID a fresh id for the keyring.
	Key, ID func() string
}

// Observed is what was found of the credentials of an endpoint or a campaign.
type Observed struct {
	// Caller authenticates callers: it holds postback key, click token and client key, or a campaign's token.
	Caller Secret
	// Given: the user declares Caller. Otherwise it is generated, for the revisions that follow; 0 when they are not
	// known.
	Given                    bool
	Revision, ClientRevision int64
	// Recorded is the key in the Secret with the postback URL, from which a generated key that somebody deleted is
	// restored.
	Recorded string
	// Signing holds the secrets that sign. It is looked for only when an endpoint names it.
	Signing Secret
	Headers Headers
	Keyring Keyring
}

// Decision is what is to be.
type Decision struct {
	// Generated is the content of the generated Secret; nil when the user declares one.
	Generated *Generated
	Keyring   Keyring
	// Key is what callers are to use: the postback key, or a campaign's token. ClientKey is what pages are to use. Each
	// is empty while there is none that is accepted.
	Key, ClientKey string
	// Signing are the secrets that sign; none while they can't be read.
	Signing []string
	// Problems are the user's to repair; none when all is well, and then Says is about where the credentials are.
	Problems []*Problem
	Says     Says
	// Next is the next moment at which time alone changes the decision; zero for none.
	Next time.Time
}

// Generated are credentials that nobody declares.
type Generated struct {
	// Revision is the declared revision for which Key was made, the postback key or a campaign's token.
	Revision int64
	Key      string
	// ClickToken of an endpoint.
	ClickToken string
	// ClientRevision is the spec.browser.revision for which ClientKey was made; that is empty for an endpoint of which
	// pages have never reported.
	ClientRevision int64
	ClientKey      string
	// Fresh: a credential is new. Restored: the key was taken from the Secret with the URL.
	Fresh, Restored bool
}

// Says is the content of the condition KeyResolved.
type Says struct {
	Resolved        bool
	Reason, Message string
}

// Changes reports whether credentials change, which must not happen by an outdated view of them.
func (d *Decision) Changes(o *Observed) bool {
	return !bytes.Equal(d.Keyring.Data, o.Keyring.Data) || d.Generated != nil &&
		(d.Generated.Fresh || d.Generated.Restored)
}

// resolver makes a decision.
type resolver struct {
	*Observed
	Decision
	// values that the Secrets hold now. A purpose that can't be read is missing.
	values map[rotation.Purpose][]string
}

func newResolver(o *Observed) *resolver {
	return &resolver{Observed: o, values: map[rotation.Purpose][]string{}}
}

func (r *resolver) note(problem *Problem) {
	if problem != nil {
		r.Problems = append(r.Problems, problem)
	}
}

// take observes a value of the caller's Secret. A field that may be missing and is gives the purpose up.
func (r *resolver) take(at string, purpose rotation.Purpose, value string, found bool, err error) {
	switch {
	case err != nil:
		r.note(r.Caller.problem(at, err))
	case found:
		r.values[purpose] = []string{value}
	default:
		r.values[purpose] = nil
	}
}

// advance completes the observed values and advances the keyring by them.
func (r *resolver) advance(headers []v1alpha1.ForwardSecretKey, in rotation.Input) {
	r.note(r.Headers.Problem)
	if r.Headers.Problem == nil {
		r.values[rotation.Forward] = r.Headers.Values.List(headers)
	}
	in.Observed = r.values
	r.Decision.Keyring = r.Observed.Keyring.advance(in)
}

// accepted returns the credential that the caller's Secret holds for a purpose, unless it is revoked.
func (r *resolver) accepted(purpose rotation.Purpose, noun, revision string) string {
	values := r.values[purpose]
	value := r.Decision.Keyring.valid(purpose, values)
	if value == "" && len(values) > 0 {
		r.note(&Problem{Reason: v1alpha1.ReasonSecretInvalid, revoked: true, says: fmt.Sprintf(
			"The %s in Secret %s is revoked: put another one there, or raise %s if it was generated",
			noun, r.Caller.Name, revision)})
	}
	return value
}

// done says of the first problem, or that all is well.
func (r *resolver) done(well Says) *Decision {
	r.Says = well
	if len(r.Problems) > 0 {
		r.Says = Says{Reason: r.Problems[0].Reason, Message: r.Problems[0].message()}
	}
	return &r.Decision
}

// Endpoint decides about the credentials of an endpoint.
func Endpoint(declared *v1alpha1.PostbackEndpoint, o *Observed, now time.Time, from Source) *Decision {
	r := newResolver(o)
	spec := &declared.Spec
	if o.Given {
		r.readKeys(spec)
	} else {
		g := r.generateKeys(spec, now, from)
		r.Generated = g
		r.values[rotation.Postback], r.values[rotation.Click] = []string{g.Key}, []string{g.ClickToken}
		r.values[rotation.Browser] = nil
		if spec.Browser != nil {
			r.values[rotation.Browser] = []string{g.ClientKey}
		}
	}
	var problem *Problem
	if r.Decision.Signing, problem = ReadSigning(spec, &o.Signing); problem == nil {
		r.values[rotation.Signing] = r.Decision.Signing
	}
	r.note(problem)
	r.advance(declared.ForwardSecrets(), rotation.Input{
		Now: now, Overlap: spec.Key.Overlap.Duration, Revoked: spec.Key.Revoked, NewID: from.ID,
	})
	r.Key = r.accepted(rotation.Postback, "key", "spec.key.revision")
	r.ClientKey = r.accepted(rotation.Browser, "client key", "spec.browser.revision")
	r.Next = r.Decision.Keyring.boundary(r.rotateEvery(spec))
	return r.done(r.keysAreWell(spec))
}

// ReadSigning reads the secrets that sign; none for an endpoint that asks for no signature.
func ReadSigning(spec *v1alpha1.PostbackEndpointSpec, secret *Secret) ([]string, *Problem) {
	signer := spec.Signer()
	if signer == nil {
		return nil, nil
	}
	return read(secret, signer.Path, func(data map[string][]byte) ([]string, error) {
		return Secrets(data, signer.Field)
	})
}

// readKeys reads the Secret that the user declares. A click token and a client key may be missing.
func (r *resolver) readKeys(spec *v1alpha1.PostbackEndpointSpec) {
	const at = "spec.key.secretRef"
	if spec.Browser == nil {
		r.values[rotation.Browser] = nil
	}
	if r.Caller.Err != nil {
		r.note(r.Caller.problem(at, nil))
		return
	}
	key, err := r.userKey(spec)
	r.take(at, rotation.Postback, key, true, err)
	token, found, err := ClickToken(r.Caller.Data, v1alpha1.ClickTokenField)
	r.take(at, rotation.Click, token, found, err)
	if spec.Browser != nil {
		key, found, err := ClientKey(r.Caller.Data, v1alpha1.ClientKeyField)
		r.take(at, rotation.Browser, key, found, err)
	}
}

func (r *resolver) userKey(spec *v1alpha1.PostbackEndpointSpec) (string, error) {
	return Key(r.Caller.Data, fieldOf(spec.Key.SecretRef, v1alpha1.DefaultKeyField), spec.Key.AllowWeak)
}

func fieldOf(ref *v1alpha1.SecretKeyReference, otherwise string) string {
	if ref == nil {
		return otherwise
	}
	return cmp.Or(ref.Key, otherwise)
}

func (r *resolver) rotateEvery(spec *v1alpha1.PostbackEndpointSpec) time.Duration {
	if every := spec.Key.RotateEvery; every != nil && !r.Given {
		return every.Duration
	}
	return 0
}

// generateKeys keeps the generated key until the next one is due, and replaces what was deleted or broken.
func (r *resolver) generateKeys(spec *v1alpha1.PostbackEndpointSpec, now time.Time, from Source) *Generated {
	declared := max(spec.Key.Revision, 1)
	// A removed annotation is no request for another key.
	generatedFor := cmp.Or(r.Revision, declared)
	g := &Generated{Revision: max(declared, generatedFor)}
	ring := r.Observed.Keyring
	held, err := Key(r.Caller.Data, v1alpha1.DefaultKeyField, spec.Key.AllowWeak)
	switch {
	case err == nil && !ring.Ring.Due(now, declared, generatedFor, r.rotateEvery(spec)):
		g.Key = held
	case err != nil && ring.valid(rotation.Postback, []string{r.Recorded}) != "":
		g.Key, g.Restored = r.Recorded, true
	default:
		g.Key, g.Fresh = from.Key(), true
	}
	token, found, err := ClickToken(r.Caller.Data, v1alpha1.ClickTokenField)
	if !found || err != nil {
		token, g.Fresh = from.Key(), true
	}
	g.ClickToken = token
	r.generateClientKey(g, spec.Browser, from)
	return g
}

// generateClientKey keeps the client key as generateKeys keeps the key, also while pages can't report: they may again.
func (r *resolver) generateClientKey(g *Generated, browser *v1alpha1.BrowserSpec, from Source) {
	held, found, err := ClientKey(r.Caller.Data, v1alpha1.ClientKeyField)
	if found && err == nil {
		g.ClientKey, g.ClientRevision = held, max(r.ClientRevision, 1)
	}
	if browser == nil {
		return
	}
	declared := max(browser.Revision, 1)
	if r.ClientRevision == 0 {
		g.ClientRevision = declared
	}
	if g.ClientKey == "" || declared > g.ClientRevision {
		g.ClientKey, g.ClientRevision, g.Fresh = from.Key(), declared, true
	}
}

// keysAreWell says where the credentials are, and what does not work without one.
func (r *resolver) keysAreWell(spec *v1alpha1.PostbackEndpointSpec) Says {
	if !r.Given {
		return Says{true, v1alpha1.ReasonResolved, "The generated key is in Secret " + r.Caller.Name + "."}
	}
	if key, err := r.userKey(spec); err == nil && WeakKey(key) {
		return Says{true, v1alpha1.ReasonKeyWeak, fmt.Sprintf(
			"The key in Secret %s is in use, but it has less than %d bits of entropy and may be guessed.",
			r.Caller.Name, MinEntropyBits)}
	}
	message := "The key is in Secret " + r.Caller.Name + "."
	if _, found := r.Caller.Data[v1alpha1.ClickTokenField]; !found {
		message += " The click intake is off: the Secret has no field " + v1alpha1.ClickTokenField + "."
	}
	if _, found := r.Caller.Data[v1alpha1.ClientKeyField]; !found && spec.Browser != nil {
		message += " Pages can't report: the Secret has no field " + v1alpha1.ClientKeyField + "."
	}
	return Says{true, v1alpha1.ReasonResolved, message}
}
