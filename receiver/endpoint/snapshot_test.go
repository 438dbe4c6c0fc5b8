package endpoint_test

import (
	"strings"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func key(id, value string, retireAt *time.Time) config.Key {
	return config.Key{ID: id, SHA256: config.Digest(value), RetireAt: retireAt}
}

// twoEndpoints: ads/shop with a retiring key and a click token, ads/blog with a key.
func twoEndpoints() *config.Config {
	shop, blog := full(), full()
	shop.Keys = []config.Key{key("k2", "new-key", nil), key("k1", "old-key", &noon)}
	shop.ClickTokens = []config.Key{key("t1", "token", nil)}
	blog.Name = "blog"
	blog.Keys = []config.Key{key("k3", "blog-key", nil)}
	return &config.Config{
		Revision: "0123456789abcdef",
		Fleet: config.Fleet{
			Namespace: "ads", Name: "main", TrustedProxies: []string{"10.0.0.0/8"},
			Rates: config.Rates{RefreshEvery: config.Duration(time.Hour)},
		},
		Endpoints: []config.Endpoint{shop, blog},
	}
}

func TestBuild(t *testing.T) {
	c := twoEndpoints()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := endpoint.Build(c)
	if err != nil {
		t.Fatal(err)
	}
	if s.Revision != c.Revision || s.Fleet.Name != "main" || len(s.TrustedProxies) != 1 ||
		s.TrustedProxies[0].String() != "10.0.0.0/8" {
		t.Errorf("revision %s, fleet %s, proxies %v", s.Revision, s.Fleet.Name, s.TrustedProxies)
	}
	if got := s.LongestLookback(); got != 48*time.Hour {
		t.Errorf("the longest clickLookback is %v", got)
	}
	var names []string
	for _, e := range s.Endpoints() {
		names = append(names, e.Name)
	}
	if got := strings.Join(names, " "); got != "ads/blog ads/shop" {
		t.Errorf("endpoints %s", got)
	}
}

func TestByKey(t *testing.T) {
	s, err := endpoint.Build(twoEndpoints())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, key string
		now       time.Time
		endpoint  string
		id        string
	}{
		{"the active key", "new-key", noon, "ads/shop", "k2"},
		{"another endpoint's key", "blog-key", noon, "ads/blog", "k3"},
		{"a former key before it retires", "old-key", noon.Add(-time.Nanosecond), "ads/shop", "k1"},
		{"a former key at the moment it retires", "old-key", noon, "", ""},
		{"a former key later", "old-key", noon.Add(time.Hour), "", ""},
		{"a wrong key", "new-kez", noon, "", ""},
		{"a part of a key", "new-ke", noon, "", ""},
		{"no key", "", noon, "", ""},
		{"a digest is no key", config.Digest("new-key"), noon, "", ""},
		{"a click token is no key", "token", noon, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) { checkFound(t, s.ByKey, c.key, c.now, c.endpoint, c.id) })
	}
}

func TestByClickToken(t *testing.T) {
	s, err := endpoint.Build(twoEndpoints())
	if err != nil {
		t.Fatal(err)
	}
	checkFound(t, s.ByClickToken, "token", noon, "ads/shop", "t1")
	checkFound(t, s.ByClickToken, "new-key", noon, "", "")
}

func checkFound(
	t *testing.T, find func(string, time.Time) (*endpoint.Endpoint, string, bool), secret string, now time.Time, want,
	wantID string,
) {
	t.Helper()
	e, id, ok := find(secret, now)
	name := ""
	if e != nil {
		name = e.Name
	}
	if name != want || id != wantID || ok != (want != "") {
		t.Errorf("found %q by %q, %v, want %q by %q", name, id, ok, want, wantID)
	}
}

func TestBuildRefusesTheWhole(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*config.Config)
		want string
	}{
		{"an endpoint that does not compile", func(c *config.Config) { c.Endpoints[1].Payout.Max = "x" },
			"endpoint ads/blog: payout.max"},
		{"a digest that is too short", func(c *config.Config) { c.Endpoints[0].Keys[0].SHA256 = "00" }, "key k2"},
		{"a digest that is no hex", func(c *config.Config) { c.Endpoints[0].Keys[0].SHA256 = strings.Repeat("g", 64) },
			"key k2"},
		{"a key of two endpoints", func(c *config.Config) { c.Endpoints[1].Keys[0].SHA256 = c.Endpoints[0].Keys[0].SHA256 },
			"endpoint ads/shop has the same one"},
		{"a proxy that is no CIDR", func(c *config.Config) { c.Fleet.TrustedProxies[0] = "x" }, "fleet.trustedProxies[0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := twoEndpoints()
			c.edit(content)
			if s, err := endpoint.Build(content); s != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("snapshot %v, error %v, want one with %q", s, err, c.want)
			}
		})
	}
}

func BenchmarkByKey(b *testing.B) {
	s, err := endpoint.Build(twoEndpoints())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := s.ByKey("new-key", noon); !ok {
			b.Fatal("not found")
		}
	}
}
