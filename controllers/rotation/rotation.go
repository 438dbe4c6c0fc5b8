// Package rotation decides which credentials of an endpoint or fleet are valid until when. It is pure: the keyring
// before, what the Secrets hold now, the time and a source of ids go in, the keyring after comes out.
//
// It imports no client and reads no clock. The operator and the offline renderer keep the keyring in a Secret.
package rotation

import (
	"cmp"
	"slices"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Purpose is what a credential is for.
type Purpose string

// The purposes of the credentials of an endpoint and of a campaign.
const (
	Postback Purpose = "postback" // the key in the postback URL
	Click    Purpose = "click"    // the token of the click intake
	Signing  Purpose = "hmac"     // secrets that sign postbacks
	Browser  Purpose = "browser"  // the client key in web pages
	Campaign Purpose = "campaign" // a campaign's token of the click API
	Forward  Purpose = "forward"  // secret headers of S2S postbacks
)

// Provider is the purpose of the API key of a fleet's rate provider.
func Provider(name string) Purpose { return Purpose("provider/" + name) }

// compared says that receivers hold a digest only, so that a former credential can stay valid when its Secret has
// changed. Of the others they hold the value, which is gone with the Secret.
func (p Purpose) compared() bool {
	return p == Postback || p == Click || p == Browser || p == Campaign
}

// Entry is what the keyring remembers of one credential.
type Entry struct {
	// ID is random, given when the credential was first seen, and may be published.
	ID string `json:"id"`
	// SHA256 of the credential, 64 hex digits. It recognises a value that is seen again and must not be published.
	SHA256 string `json:"sha256"`
	// Since is when the credential was first seen.
	Since time.Time `json:"since"`
	// RetireAt is the moment from which the credential is refused; nil while its Secret holds it.
	RetireAt *time.Time `json:"retireAt,omitempty"`
	// Revoked credentials are refused. They are remembered as long as they are listed as revoked, so that they can't come
	// back under another id.
	Revoked bool `json:"revoked,omitempty"`
}

// Active reports whether the credential is accepted without an end in sight.
func (e Entry) Active() bool { return e.RetireAt == nil && !e.Revoked }

// Ring is the keyring of one endpoint or fleet: entries by purpose, sorted by Since and ID.
type Ring map[Purpose][]Entry

// Input is what the keyring is advanced by.
type Input struct {
	// Now is the time, taken in whole seconds.
	Now time.Time
	// Observed are the values that the Secrets hold now. A purpose that is absent is not known at the moment, for example
	// because its Secret is missing, and nothing of it is retired; one that is there without a value is given up.
	Observed map[Purpose][]string
	// Overlap is how long a former key or click token stays valid; 0: not at all.
	Overlap time.Duration
	// Revoked are ids that are refused at once.
	Revoked []string
	// NewID returns a fresh random id, a DNS label.
	NewID func() string
}

// A policy is one rule about the entries of one purpose.
type policy func(entries []Entry, in purposeInput) []Entry

type purposeInput struct {
	now      time.Time
	known    bool     // whether the Secret could be read
	observed []string // digests
	overlap  time.Duration
	revoked  []string
	newID    func() string
}

// policies in order: later ones see what earlier ones decided.
var policies = []policy{
	admit,
	reactivate,
	retire,
	revoke,
	expire,
	bound,
}

// Advance returns the keyring after what is observed now. The argument is left as it is. Advancing again with the same
// input changes nothing.
func Advance(ring Ring, in Input) Ring {
	purposes := map[Purpose]bool{}
	for purpose := range ring {
		purposes[purpose] = true
	}
	for purpose := range in.Observed {
		purposes[purpose] = true
	}
	next := Ring{}
	// Sorted, so that ids are drawn in an order that tests can know.
	for _, purpose := range sortedKeys(purposes) {
		entries := slices.Clone(ring[purpose])
		input := purposeInput{
			now: in.Now.UTC().Truncate(time.Second), revoked: in.Revoked, newID: in.NewID,
		}
		var values []string
		values, input.known = in.Observed[purpose]
		for _, value := range values {
			input.observed = append(input.observed, config.Digest(value))
		}
		if purpose.compared() {
			input.overlap = in.Overlap
		}
		for _, apply := range policies {
			entries = apply(entries, input)
		}
		if len(entries) > 0 {
			next[purpose] = entries
		}
	}
	return next
}

// admit gives an id to what is seen for the first time.
func admit(entries []Entry, in purposeInput) []Entry {
	for _, digest := range in.observed {
		if !slices.ContainsFunc(entries, func(e Entry) bool { return e.SHA256 == digest }) {
			entries = append(entries, Entry{ID: in.newID(), SHA256: digest, Since: in.now})
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	return entries
}

// reactivate takes a former credential that came back for current again.
func reactivate(entries []Entry, in purposeInput) []Entry {
	for i := range entries {
		if slices.Contains(in.observed, entries[i].SHA256) {
			entries[i].RetireAt = nil
		}
	}
	return entries
}

// retire ends what is no longer observed after the overlap. A shorter overlap also shortens what was already promised.
func retire(entries []Entry, in purposeInput) []Entry {
	if !in.known {
		return entries
	}
	end := in.now.Add(in.overlap)
	for i := range entries {
		e := &entries[i]
		if !slices.Contains(in.observed, e.SHA256) && (e.RetireAt == nil || end.Before(*e.RetireAt)) {
			e.RetireAt = &end
		}
	}
	return entries
}

// revoke marks what is listed, and takes back a mark that is no longer listed.
func revoke(entries []Entry, in purposeInput) []Entry {
	for i := range entries {
		entries[i].Revoked = slices.Contains(in.revoked, entries[i].ID)
	}
	return entries
}

// expire forgets what is refused anyway.
func expire(entries []Entry, in purposeInput) []Entry {
	return slices.DeleteFunc(entries, func(e Entry) bool {
		return e.RetireAt != nil && !e.RetireAt.After(in.now) && !e.Revoked
	})
}

// bound keeps the ring within what the contract takes, should somebody rotate many times within one overlap: those that
// would end soonest end at once.
func bound(entries []Entry, _ purposeInput) []Entry {
	for count := accepted(entries); count > config.MaxKeys; count-- {
		soonest := -1
		for i, e := range entries {
			if !e.Revoked && e.RetireAt != nil && (soonest < 0 || e.RetireAt.Before(*entries[soonest].RetireAt)) {
				soonest = i
			}
		}
		if soonest < 0 {
			break
		}
		entries = slices.Delete(entries, soonest, soonest+1)
	}
	return entries
}

func accepted(entries []Entry) int {
	count := 0
	for _, e := range entries {
		if !e.Revoked {
			count++
		}
	}
	return count
}
