package endpoint

import (
	"bytes"
	"cmp"
	"fmt"
	"time"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/render"
	"github.com/postback-dev/postback-operator/controllers/resources"
	"github.com/postback-dev/postback-operator/controllers/rotation"
	"github.com/postback-dev/postback-operator/controllers/status"
)

// plan is what ought to be, apart from the status.
type plan struct {
	// generated is the content of the key Secret; nil when the user has one.
	generated *generatedKey
	// ring after what was observed, and its encoding.
	ring     rotation.Ring
	ringData []byte
	// key that stands in the URL; empty while there is none.
	key string
	// clientKey is the key of pages; empty while they can't report.
	clientKey string
	// resolved says what is to be said of the credentials.
	resolved status.Finding
	// next is the next moment at which time alone changes the plan; zero for none.
	next time.Time
}

type generatedKey struct {
	resources.Generated
	// fresh: a credential is new. restored: it was taken from the URL Secret.
	fresh, restored bool
}

// given is where a plan takes what is not observed.
type given struct {
	now           time.Time
	newKey, newID func() string
}

// changes reports whether the plan changes credentials, which must not happen by an outdated view of them.
func (p *plan) changes(s *scope) bool {
	return !bytes.Equal(p.ringData, s.ringData) || p.generated != nil && (p.generated.fresh || p.generated.restored)
}

// decide is pure but for the randomness it is given.
func decide(s *scope, from given) *plan {
	p := &plan{}
	key := &s.endpoint.Spec.Key
	observed := map[rotation.Purpose][]string{}
	var findings []status.Finding
	note := func(f *status.Finding) {
		if f != nil {
			findings = append(findings, *f)
		}
	}
	if key.SecretRef == nil {
		p.generated = generate(s, from)
		p.key = p.generated.Key
		observed[rotation.Postback], observed[rotation.Click] = []string{p.key}, []string{p.generated.ClickToken}
		observed[rotation.Browser] = nil
		if s.endpoint.Spec.Browser != nil {
			observed[rotation.Browser] = []string{p.generated.ClientKey}
		}
	} else {
		p.key = readKey(s, observed, note)
		note(readToken(s, observed))
		note(readClientKey(s, observed))
	}
	note(readSigning(s, observed))
	note(readHeaders(s, observed))
	input := rotation.Input{
		Now: from.now, Observed: observed, Overlap: key.Overlap.Duration, Revoked: key.Revoked, NewID: from.newID,
	}
	p.ring = rotation.Advance(s.ring, input)
	if len(p.ring) > 0 || s.ringData != nil {
		p.ringData = p.ring.Encode()
	}
	if p.key != "" && len(p.ring.Secrets(rotation.Postback, []string{p.key})) == 0 {
		p.key = ""
		f := status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretInvalid,
			fmt.Sprintf("The key in Secret %s is revoked: put another one there, or raise spec.key.revision if it was generated.", s.caller.name))
		note(&f)
	}
	if keys := observed[rotation.Browser]; len(p.ring.Secrets(rotation.Browser, keys)) > 0 {
		p.clientKey = keys[0]
	} else if len(keys) > 0 {
		f := status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretInvalid,
			fmt.Sprintf("The client key in Secret %s is revoked: put another one there, or raise spec.browser.revision if it was generated.", s.caller.name))
		note(&f)
	}
	p.resolved = summary(s, findings)
	p.next = nextBoundary(p.ring, rotateEvery(s.endpoint))
	return p
}

// generate keeps the generated key until the next one is due, and replaces what was deleted or broken.
func generate(s *scope, from given) *generatedKey {
	declared := max(s.endpoint.Spec.Key.Revision, 1)
	generatedFor := s.generatedFor
	if generatedFor == 0 {
		// Who removed the annotation has not asked for another key.
		generatedFor = declared
	}
	g := &generatedKey{}
	g.Revision = max(declared, generatedFor)
	held, err := render.Key(s.caller.data, v1alpha1.DefaultKeyField, s.endpoint.Spec.Key.AllowWeak)
	switch {
	case err == nil && !s.ring.Due(from.now, declared, generatedFor, rotateEvery(s.endpoint)):
		g.Key = held
	case err != nil && len(s.ring.Secrets(rotation.Postback, []string{s.pastedKey})) > 0:
		g.Key, g.restored = s.pastedKey, true
	default:
		g.Key, g.fresh = from.newKey(), true
	}
	token, found, err := render.ClickToken(s.caller.data, v1alpha1.ClickTokenField)
	if !found || err != nil {
		token = from.newKey()
		g.fresh = true
	}
	g.ClickToken = token
	g.client(s, from)
	return g
}

// client keeps the client key as generate keeps the key, also while pages can't report: they may again.
func (g *generatedKey) client(s *scope, from given) {
	held, found, err := render.ClientKey(s.caller.data, v1alpha1.ClientKeyField)
	if found && err == nil {
		g.ClientKey, g.ClientRevision = held, max(s.clientFor, 1)
	}
	browser := s.endpoint.Spec.Browser
	if browser == nil {
		return
	}
	declared := max(browser.Revision, 1)
	if s.clientFor == 0 {
		g.ClientRevision = declared // who removed the annotation has not asked for another key
	}
	if g.ClientKey == "" || declared > g.ClientRevision {
		g.ClientKey, g.ClientRevision, g.fresh = from.newKey(), declared, true
	}
}

func readKey(s *scope, observed map[rotation.Purpose][]string, note func(*status.Finding)) string {
	ref := s.endpoint.Spec.Key.SecretRef
	const at = "spec.key.secretRef"
	if f := s.caller.unusable(at); f != nil {
		note(f)
		return ""
	}
	key, err := render.Key(s.caller.data, cmp.Or(ref.Key, v1alpha1.DefaultKeyField), s.endpoint.Spec.Key.AllowWeak)
	if err != nil {
		note(invalid(at, ref.Name, err))
		return ""
	}
	observed[rotation.Postback] = []string{key}
	return key
}

func readToken(s *scope, observed map[rotation.Purpose][]string) *status.Finding {
	if s.caller.unusable("") != nil {
		return nil
	}
	token, found, err := render.ClickToken(s.caller.data, v1alpha1.ClickTokenField)
	switch {
	case err != nil:
		return invalid("spec.key.secretRef", s.caller.name, err)
	case found:
		observed[rotation.Click] = []string{token}
	default:
		observed[rotation.Click] = nil
	}
	return nil
}

// readClientKey: without the field pages can't report, which is not wrong.
func readClientKey(s *scope, observed map[rotation.Purpose][]string) *status.Finding {
	if s.endpoint.Spec.Browser == nil {
		observed[rotation.Browser] = nil
		return nil
	}
	if s.caller.unusable("") != nil {
		return nil
	}
	key, found, err := render.ClientKey(s.caller.data, v1alpha1.ClientKeyField)
	switch {
	case err != nil:
		return invalid("spec.key.secretRef", s.caller.name, err)
	case found:
		observed[rotation.Browser] = []string{key}
	default:
		observed[rotation.Browser] = nil
	}
	return nil
}

func readSigning(s *scope, observed map[rotation.Purpose][]string) *status.Finding {
	signer := s.endpoint.Spec.Signer()
	if signer == nil {
		observed[rotation.Signing] = nil
		return nil
	}
	if f := s.signing.unusable(signer.Path); f != nil {
		return f
	}
	values, err := render.Secrets(s.signing.data, signer.Field)
	if err != nil {
		return invalid(signer.Path, signer.Secret, err)
	}
	observed[rotation.Signing] = values
	return nil
}

func readHeaders(s *scope, observed map[rotation.Purpose][]string) *status.Finding {
	const at = "spec.forwards"
	switch problem := s.headerProblem; {
	case problem == nil:
		observed[rotation.Forward] = s.headers.List(s.endpoint.ForwardSecrets())
		return nil
	case problem.Missing:
		return (&secret{name: problem.Secret}).unusable(at)
	case problem.Denied != nil:
		return (&secret{name: problem.Secret, found: true, denied: problem.Denied}).unusable(at)
	default:
		return invalid(at, problem.Secret, problem.Err)
	}
}

// unusable says of a Secret, named in a field, that it is missing or that it may not be used; nil when neither.
func (s *secret) unusable(at string) *status.Finding {
	reason, message := v1alpha1.ReasonSecretNotFound, fmt.Sprintf("%s: there is no Secret %s. What was valid stays valid.", at, s.name)
	if s.found {
		if s.denied == nil {
			return nil
		}
		reason, message = v1alpha1.ReasonSecretNotReadable, fmt.Sprintf("%s: Secret %s: %v. What was valid stays valid.", at, s.name, s.denied)
	}
	f := status.False(v1alpha1.ConditionKeyResolved, reason, message)
	return &f
}

// invalid passes on errors of package render, which show no value.
func invalid(at, name string, err error) *status.Finding {
	f := status.False(v1alpha1.ConditionKeyResolved, v1alpha1.ReasonSecretInvalid,
		fmt.Sprintf("%s: Secret %s: %v. What was valid stays valid.", at, name, err))
	return &f
}

// summary returns the first finding, or that all is well.
func summary(s *scope, findings []status.Finding) status.Finding {
	if len(findings) > 0 {
		return findings[0]
	}
	resolved := func(reason, message string) status.Finding {
		return status.True(v1alpha1.ConditionKeyResolved, reason, message)
	}
	ref := s.endpoint.Spec.Key.SecretRef
	if ref == nil {
		return resolved(v1alpha1.ReasonResolved, "The generated key is in Secret "+s.caller.name+".")
	}
	if key, err := render.Key(s.caller.data, cmp.Or(ref.Key, v1alpha1.DefaultKeyField), s.endpoint.Spec.Key.AllowWeak); err == nil && render.WeakKey(key) {
		return resolved(v1alpha1.ReasonKeyWeak,
			fmt.Sprintf("The key in Secret %s is in use, but it has less than %d bits of entropy and may be guessed.", ref.Name, render.MinEntropyBits))
	}
	message := "The key is in Secret " + ref.Name + "."
	if _, found := s.caller.data[v1alpha1.ClickTokenField]; !found {
		message += " The click intake is off: the Secret has no field " + v1alpha1.ClickTokenField + "."
	}
	if _, found := s.caller.data[v1alpha1.ClientKeyField]; !found && s.endpoint.Spec.Browser != nil {
		message += " Pages can't report: the Secret has no field " + v1alpha1.ClientKeyField + "."
	}
	return resolved(v1alpha1.ReasonResolved, message)
}

func rotateEvery(endpoint *v1alpha1.PostbackEndpoint) time.Duration {
	if every := endpoint.Spec.Key.RotateEvery; every != nil && endpoint.Spec.Key.SecretRef == nil {
		return every.Duration
	}
	return 0
}

// nextBoundary is when the soonest key retires or the active one is due for rotation.
func nextBoundary(ring rotation.Ring, every time.Duration) time.Time {
	var next time.Time
	soonest := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for purpose, entries := range ring {
		for _, e := range entries {
			switch {
			case e.RetireAt != nil && !e.Revoked:
				soonest(*e.RetireAt)
			case every > 0 && purpose == rotation.Postback && e.Active():
				soonest(e.Since.Add(every))
			}
		}
	}
	return next
}
