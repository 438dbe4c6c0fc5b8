// Package acceptance holds the receiver, wired as its main wires it, against docs/semantics.md: real HTTP in, a real
// store of either engine below, the read API out. It has no code but its tests.
package acceptance

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
	"github.com/postback-dev/postback-operator/receiver/setup"
)

// epoch is what the receiver's clock shows when a scenario begins.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// volume is the size of the file system below an embedded store, in bytes.
const volume = 100 << 30

// patience is for what the receiver does by itself a moment later.
const patience = 20 * time.Second

// rig is one running receiver that serves all endpoints of a test.
type rig struct {
	engine    engine
	now       atomic.Int64 // nanoseconds since epoch
	steps     atomic.Int64
	used      atomic.Int64 // bytes of a volume of 100 GiB
	dir       string
	fleet     config.Fleet
	endpoints []config.Endpoint
	url, ops  string
	admin     string // of Keitaro's Admin API
	db        *sql.DB
	source    string // how db was opened
	log       logbook
	contract  contract
	// token is the ops token; empty = the API answers on loopback without one.
	token string
}

// logbook keeps what the receiver logs.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start runs a receiver with a SQLite store.
func start(t *testing.T, endpoints []config.Endpoint) *rig {
	t.Helper()
	return startOn(t, sqlite, endpoints)
}

// startOn runs a receiver that knows EUR→USD 1.10, USDT→USD 1 and HLF→USD 0.5, and trusts proxies on loopback.
func startOn(t *testing.T, e engine, endpoints []config.Endpoint, rates ...config.FixedRate) *rig {
	t.Helper()
	return startWith(t, e, endpoints, "", rates...)
}

// startWith is startOn for a receiver whose API is guarded by a token, unless that is empty.
func startWith(
	t *testing.T, e engine, endpoints []config.Endpoint, token string, rates ...config.FixedRate,
) *rig {
	t.Helper()
	r := &rig{token: token, contract: contract{token: token}, engine: e, dir: t.TempDir(), fleet: receivertest.Fleet(),
		endpoints: endpoints}
	r.fleet.AllowPrivateEgress = true
	r.fleet.TrustedProxies = []string{"127.0.0.0/8"}
	r.fleet.Rates.Fixed = append([]config.FixedRate{
		{From: "EUR", To: "USD", Rate: "1.10"}, {From: "USDT", To: "USD", Rate: "1"}, {From: "HLF", To: "USD", Rate: "0.5"},
	}, rates...)
	r.writeConfig(t)
	store, driver, source := e.create(t)
	tokenFile := ""
	if token != "" {
		tokenFile = filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key := filepath.Join(t.TempDir(), "key")
	costKey := filepath.Join(t.TempDir(), "cost-key")
	for file, text := range map[string]string{key: adminKey, costKey: adminCostKey} {
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	receiver, err := setup.Start(t.Context(), setup.Options{
		AdminListen: "127.0.0.1:0", AdminKeyFile: key, AdminCostKeyFile: costKey,
		Config: r.dir, Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0", Store: store,
		Hold: patience, Logger: slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Version: "test",
		Clock:   func() time.Time { return epoch.Add(time.Duration(r.now.Load())) },
		Console: token == "", OpsTokenFile: tokenFile, ConsoleViews: filepath.Join(t.TempDir(), "views.json"),
		Statfs: func(string) (free, total int64, err error) { return volume - r.used.Load(), volume, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- receiver.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("stopping the receiver: %v", err)
		}
	})
	r.url, r.ops = "http://"+receiver.Address(), "http://"+receiver.OpsAddress()
	r.admin = "http://" + receiver.AdminAddress()
	r.source = source
	if r.db, err = sql.Open(driver, source); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.db.Close() })
	return r
}

// writeConfig replaces the configuration the way a plain directory is written: the manifest last.
func (r *rig) writeConfig(t *testing.T) {
	t.Helper()
	documents, err := config.Seal(r.fleet, r.endpoints)
	if err != nil {
		t.Fatal(err)
	}
	manifest := documents[config.ManifestFile]
	delete(documents, config.ManifestFile)
	for name, text := range documents {
		r.writeFile(t, name, text)
	}
	r.writeFile(t, config.ManifestFile, manifest)
}

func (r *rig) writeFile(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// authorize adds the token, if there is one.
func authorize(r *http.Request, token string) {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
}

// list returns what the read API lists, newest first.
func list[T any](t *testing.T, r *rig, path string, query url.Values) []T {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.ops+path+"?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	authorize(request, r.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s (%v)", request.URL, response.Status, text, err)
	}
	r.contract.holds(t, r.ops, path, string(text))
	var page struct {
		Items []T `json:"items"`
	}
	if err := json.Unmarshal(text, &page); err != nil {
		t.Fatal(err)
	}
	return page.Items
}

// conversion is what the tests look at of a conversion.
type conversion struct {
	ID               string            `json:"id"`
	TID              string            `json:"tid"`
	Type             string            `json:"type"`
	PreviousType     *string           `json:"previous_type"`
	OriginalStatus   *string           `json:"original_status"`
	State            string            `json:"state"`
	Payout           *string           `json:"payout"`
	Currency         string            `json:"currency"`
	OriginalPayout   string            `json:"original_payout"`
	OriginalCurrency string            `json:"original_currency"`
	Rate             *string           `json:"rate"`
	Cost             *string           `json:"cost"`
	Params           map[string]string `json:"params"`
	Warnings         []string          `json:"warnings"`
	ClickTime        *time.Time        `json:"click_time"`
	ConversionTime   time.Time         `json:"conversion_time"`
	CreatedAt        time.Time         `json:"created_at"`
	Version          int               `json:"version"`
}

// String tells a conversion in one line, and of what is as usual nothing: an original currency that is the endpoint's,
// an original status that is the type's name, a conversion time that is the time of receipt. A payout that waits for
// its rate is "?"; the state is told where it waits for the cost's.
func (c conversion) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q: %s %s", c.TID, c.Type, or(c.Payout, "?"))
	if c.OriginalCurrency != c.Currency {
		fmt.Fprintf(&b, " = %s %s × %s", c.OriginalPayout, c.OriginalCurrency, or(c.Rate, "?"))
	}
	if (c.State == "pending_rate") != (c.Payout == nil) {
		fmt.Fprintf(&b, " (%s)", c.State)
	}
	if c.PreviousType != nil {
		b.WriteString(", was " + *c.PreviousType)
	}
	if status := or(c.OriginalStatus, "nothing"); status != c.Type {
		b.WriteString(", from " + status)
	}
	if c.Cost != nil {
		b.WriteString(", cost " + *c.Cost)
	}
	if !c.ConversionTime.Equal(c.CreatedAt) {
		b.WriteString(", at " + c.ConversionTime.Format(time.RFC3339Nano))
	}
	if c.ClickTime == nil {
		b.WriteString(", orphan")
	}
	if len(c.Params) > 0 {
		fmt.Fprintf(&b, ", %v", c.Params)
	}
	if len(c.Warnings) > 0 {
		b.WriteString(", warns " + strings.Join(c.Warnings, " "))
	}
	return b.String()
}

func or(s *string, otherwise string) string {
	if s == nil {
		return otherwise
	}
	return *s
}

// conversions returns an endpoint's conversions, oldest first, as told by [conversion.String].
func (r *rig) conversions(t *testing.T, endpoint string) []string {
	t.Helper()
	newest := list[conversion](t, r, "/api/v1/conversions", url.Values{"endpoint": {endpoint}, "limit": {"1000"}})
	told := make([]string, len(newest))
	for i, c := range newest {
		told[len(newest)-1-i] = c.String()
	}
	return told
}

// forwards returns the types of an endpoint's S2S postbacks, sent or not, oldest first.
func (r *rig) forwards(t *testing.T, endpoint string) []string {
	t.Helper()
	type forward struct{ Type string }
	var types []string
	for _, f := range list[forward](t, r, "/api/v1/forwards", url.Values{"endpoint": {endpoint}, "limit": {"1000"}}) {
		types = append(types, f.Type)
	}
	slices.Reverse(types)
	return types
}
