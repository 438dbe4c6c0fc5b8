package acceptance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// click adds a click by the click intake; the value is its JSON.
type click string

func (c click) run(t *testing.T, s *scene) {
	t.Helper()
	sent, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/clicks", bytes.NewReader([]byte(c)))
	if err != nil {
		t.Fatal(err)
	}
	sent.Header.Set("Authorization", "Bearer "+s.token)
	response, err := http.DefaultClient.Do(sent)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct{ Accepted int }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Accepted != 1 {
		t.Fatalf("click %s: %s, %d accepted (%v)", string(c), response.Status, answer.Accepted, err)
	}
}

// clock sets the receiver's clock to that long after the scenario's begin.
type clock time.Duration

func (c clock) run(_ *testing.T, s *scene) { s.now.Store(int64(c)) }

// rates declares rates into USD, by currency, in the running receiver's configuration.
type rates map[string]string

func (declared rates) run(t *testing.T, s *scene) {
	t.Helper()
	fixed := slices.DeleteFunc(slices.Clone(s.fleet.Rates.Fixed),
		func(r config.FixedRate) bool { return declared[r.From] != "" })
	for from, rate := range declared {
		fixed = append(fixed, config.FixedRate{From: from, To: "USD", Rate: rate})
	}
	s.fleet.Rates.Fixed = fixed
	s.writeConfig(t)
}

// becomes waits until the endpoint's conversions are these.
type becomes []string

func (b becomes) run(t *testing.T, s *scene) {
	t.Helper()
	eventually(t, func() string { return cmp.Diff([]string(b), s.conversions(t, s.endpoint)) })
}

// clickHas demands the click's fields.
type clickHas struct {
	subid  string
	params map[string]string
}

func (c clickHas) run(t *testing.T, s *scene) {
	t.Helper()
	if diff := cmp.Diff(c.params, s.clickParams(t, s.endpoint, c.subid)); diff != "" {
		t.Errorf("click %s (-want +got):\n%s", c.subid, diff)
	}
}

// settles waits until the newest postback of the subid has that outcome in the received log.
type settles struct{ subid, outcome string }

func (w settles) run(t *testing.T, s *scene) {
	t.Helper()
	outcome, reason, _ := strings.Cut(w.outcome, "; reason=")
	eventually(t, func() string {
		got := s.received(t, url.Values{"subid": {w.subid}})[0]
		return cmp.Diff([]string{outcome, reason}, []string{got.Outcome, got.Reason})
	})
}

// eventually polls until diff returns nothing.
func eventually(t *testing.T, diff func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		difference := diff()
		if difference == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("does not come about (-want +got):\n%s", difference)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// history demands these versions of the endpoint's only conversion, oldest first.
type history []string

func (h history) run(t *testing.T, s *scene) {
	t.Helper()
	current := list[conversion](t, s.rig, "/api/v1/conversions", url.Values{"endpoint": {s.endpoint}})
	if len(current) != 1 {
		t.Fatalf("%d conversions, want one", len(current))
	}
	var told []string
	for i, version := range list[conversion](t, s.rig, "/api/v1/conversions/"+current[0].ID+"/history", url.Values{}) {
		if version.ID != current[0].ID || version.Version != i+1 {
			t.Errorf("version %d of %s is reported as version %d of %s", i+1, current[0].ID, version.Version, version.ID)
		}
		told = append(told, version.String())
	}
	if diff := cmp.Diff([]string(h), told); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}
