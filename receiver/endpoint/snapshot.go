package endpoint

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// Snapshot is one revision of a fleet's configuration, compiled and immutable.
type Snapshot struct {
	Revision string
	Fleet    config.Fleet
	// TrustedProxies are the peers whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix

	endpoints      []*Endpoint
	withCampaigns  []*Endpoint
	keys           credentials
	clientKeys     credentials
	clickTokens    credentials
	campaignTokens credentials
	campaigns      map[string]*Campaign // by alias
}

// digest is the SHA-256 of a presented secret.
type digest [sha256.Size]byte

type credentials map[digest]credential

type credential struct {
	digest   digest
	id       string
	retireAt *time.Time
	endpoint *Endpoint
	// campaign that the token of a click API is of; nil for other credentials.
	campaign *Campaign
}

// Build compiles a configuration as [config.Open] gives it. One endpoint that does not compile makes an error of the
// whole, because a snapshot is served whole or not at all.
func Build(c *config.Config) (*Snapshot, error) {
	s := &Snapshot{
		Revision: c.Revision, Fleet: c.Fleet, campaigns: map[string]*Campaign{},
		keys: credentials{}, clientKeys: credentials{}, clickTokens: credentials{}, campaignTokens: credentials{},
	}
	var err error
	if s.TrustedProxies, err = compileCIDRs("fleet.trustedProxies", c.Fleet.TrustedProxies); err != nil {
		return nil, err
	}
	var errs []error
	for _, declared := range c.Endpoints {
		e, err := Compile(declared)
		if err == nil {
			err = s.admit(e, &declared)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("endpoint %s/%s: %w", declared.Namespace, declared.Name, err))
			continue
		}
		s.endpoints = append(s.endpoints, e)
		if len(declared.Campaigns) > 0 {
			s.withCampaigns = append(s.withCampaigns, e)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	byName := func(a, b *Endpoint) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(s.endpoints, byName)
	slices.SortFunc(s.withCampaigns, byName)
	return s, nil
}

// admit makes an endpoint's credentials and campaigns known.
func (s *Snapshot) admit(e *Endpoint, declared *config.Endpoint) error {
	errs := []error{
		s.keys.add(credential{endpoint: e}, declared.Keys), s.clickTokens.add(credential{endpoint: e}, declared.ClickTokens),
	}
	if declared.Browser != nil {
		errs = append(errs, s.clientKeys.add(credential{endpoint: e}, declared.Browser.Keys))
	}
	for _, c := range declared.Campaigns {
		campaign, err := compileCampaign(e, c)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other := s.campaigns[c.Alias]; other != nil {
			errs = append(errs, fmt.Errorf("campaign %s: %s of endpoint %s has the same alias", c.Name, other.Name,
				other.Endpoint.Name))
		}
		s.campaigns[c.Alias] = campaign
		errs = append(errs, s.campaignTokens.add(credential{endpoint: e, campaign: campaign}, c.Tokens))
	}
	return errors.Join(errs...)
}

func (c credentials) add(owner credential, keys []config.Key) error {
	for _, key := range keys {
		sum, err := hex.DecodeString(key.SHA256)
		if err != nil || len(sum) != len(digest{}) {
			return fmt.Errorf("key %s: its digest must be 64 hex digits", key.ID)
		}
		d := digest(sum)
		if other, taken := c[d]; taken {
			return fmt.Errorf("key %s: endpoint %s has the same one", key.ID, other.endpoint.Name)
		}
		owner.digest, owner.id, owner.retireAt = d, key.ID, key.RetireAt
		c[d] = owner
	}
	return nil
}

// find takes the same steps whether or not the secret is known. Its time could at most tell about digests, of which a
// caller cannot choose a prefix.
func (c credentials) find(secret string, now time.Time) (found credential, ok bool) {
	presented := digest(sha256.Sum256([]byte(secret)))
	found = c[presented]
	same := subtle.ConstantTimeCompare(presented[:], found.digest[:]) == 1
	retired := found.retireAt != nil && !now.Before(*found.retireAt)
	if !same || retired {
		return credential{}, false
	}
	return found, true
}

// ByKey returns the endpoint whose postbacks the key authenticates at now, and the key's id. A key is refused from its
// retireAt on, whether or not a newer configuration has arrived.
func (s *Snapshot) ByKey(key string, now time.Time) (e *Endpoint, keyID string, ok bool) {
	found, ok := s.keys.find(key, now)
	return found.endpoint, found.id, ok
}

// ByClientKey is ByKey for the keys that are in web pages.
func (s *Snapshot) ByClientKey(key string, now time.Time) (e *Endpoint, keyID string, ok bool) {
	found, ok := s.clientKeys.find(key, now)
	return found.endpoint, found.id, ok
}

// ByClickToken is ByKey for the click intake.
func (s *Snapshot) ByClickToken(token string, now time.Time) (e *Endpoint, tokenID string, ok bool) {
	found, ok := s.clickTokens.find(token, now)
	return found.endpoint, found.id, ok
}

// ByCampaignToken is ByKey for the click API.
func (s *Snapshot) ByCampaignToken(token string, now time.Time) (c *Campaign, ok bool) {
	found, ok := s.campaignTokens.find(token, now)
	return found.campaign, ok
}

// ByAlias returns the campaign of that link, nil if there is none.
func (s *Snapshot) ByAlias(alias string) *Campaign { return s.campaigns[alias] }

// Endpoints returns all endpoints, sorted by name. The caller must not change the slice.
func (s *Snapshot) Endpoints() []*Endpoint { return s.endpoints }

// LongestLookback returns the longest clickLookback of an endpoint; 0 if none has one.
func (s *Snapshot) LongestLookback() (longest time.Duration) {
	for _, e := range s.endpoints {
		longest = max(longest, time.Duration(e.Rules.ClickLookback))
	}
	return longest
}

// Campaigns returns the campaigns, sorted by endpoint and name.
func (s *Snapshot) Campaigns() []*Campaign {
	return slices.SortedFunc(maps.Values(s.campaigns), func(a, b *Campaign) int {
		return cmp.Or(strings.Compare(a.Endpoint.Name, b.Endpoint.Name), strings.Compare(a.Name, b.Name))
	})
}

// WithCampaigns returns the endpoints that have campaigns, sorted by name. The caller must not change the slice.
func (s *Snapshot) WithCampaigns() []*Endpoint { return s.withCampaigns }

// ByName returns the endpoint of that name ("namespace/name"), nil if there is none.
func (s *Snapshot) ByName(name string) *Endpoint {
	i, found := slices.BinarySearchFunc(s.endpoints, name,
		func(e *Endpoint, name string) int { return cmp.Compare(e.Name, name) })
	if !found {
		return nil
	}
	return s.endpoints[i]
}

// CountsAs says in which total a custom type of an endpoint counts besides its own; none where either is not declared.
func (s *Snapshot) CountsAs(endpoint, customType string) config.CountsAs {
	if e := s.ByName(endpoint); e != nil {
		return e.CountsAs(customType)
	}
	return config.CountsAsNone
}
