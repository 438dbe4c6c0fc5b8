// Package clients holds the receiver against the clients of pages, as they are used (docs/clients.md): a real browser
// on pages of a shop, and real PHP. Chromium and PHP are installed where a Debian machine lacks them. It has no code
// but its tests.
package clients

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // Reads what the read API does not show: clicks.

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
	"github.com/postback-dev/postback-operator/receiver/setup"
)

// patience is for what happens a moment later, on the slowest of machines.
const patience = 60 * time.Second

// Credentials of the stage's endpoint. The client key is good for leads and sales from the shop's pages.
const (
	clientKey     = "client-key-in-pages"
	campaignToken = "token-of-the-campaign-spring"
)

// Where a browser finds the stage's parts, by names that make them different sites.
const (
	tracker = "https://tracker.test"
	shop    = "https://shop.test"
)

// stage is a receiver that serves a campaign with the alias QwErTy, and the shop it leads to.
type stage struct {
	// receiver and ops are the receiver's two ports, shop is the shop's; hosts with ports.
	receiver, ops, shop string
	db                  *sql.DB
	// certificate is by what Go believes both ports.
	certificate *x509.Certificate
	source      *trafficSource
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{source: newTrafficSource(t)}
	server := httptest.NewTLSServer(newShop())
	t.Cleanup(server.Close)
	s.certificate, s.shop = server.Certificate(), server.Listener.Addr().String()

	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, server)
	fleet := receivertest.Fleet()
	fleet.AllowPrivateEgress = true // The traffic source is on this machine.
	documents := filepath.Join(dir, "config")
	if err := os.Mkdir(documents, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := receivertest.WriteConfig(documents, fleet, endpoint(s.source.URL)); err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(dir, "store.db")
	receiver, err := setup.Start(t.Context(), setup.Options{
		Config: documents, Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0", Store: "sqlite://" + store,
		TLSCertFile: cert, TLSKeyFile: key, Hold: patience, Logger: slog.New(slog.DiscardHandler), Version: "test",
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
	s.receiver, s.ops = receiver.Address(), receiver.OpsAddress()
	if s.db, err = sql.Open("sqlite", "file:"+store+"?mode=ro"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	return s
}

// endpoint has the campaign spring, which leads to the shop's landing page and tells the traffic source of conversions.
func endpoint(source string) config.Endpoint {
	e := receivertest.Endpoint()
	e.Browser = &config.Browser{
		Keys:  []config.Key{{ID: "page1", SHA256: config.Digest(clientKey)}},
		Types: []string{config.TypeLead, config.TypeSale}, Origins: []string{shop}, RatePerMinute: 1000,
	}
	e.Campaigns = []config.Campaign{{
		Name: "spring", Alias: "QwErTy", Tokens: []config.Key{{ID: "token1", SHA256: config.Digest(campaignToken)}},
		OfferURL:   shop + "/{page}?_subid={subid}&kw={keyword}",
		Parameters: map[string][]string{config.ParamKeyword: {"kw"}, config.ParamExternalID: {"click"}},
	}}
	e.Forwards = []config.Forward{{
		Name: "spring.source", Method: http.MethodGet, Resend: config.ResendOnAnyChange, Campaigns: []string{"spring"},
		URL: source + "/s2s?click={external_id}&subid={subid}&status={status}&payout={payout}&tid={tid}",
	}}
	return e
}

// writeCertificate gives the receiver the certificate that the shop has.
func writeCertificate(t *testing.T, dir string, server *httptest.Server) (certFile, keyFile string) {
	t.Helper()
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// client returns one that believes the stage's certificate, whatever name it is asked by.
func (s *stage) client() *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(s.certificate)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots,
		ServerName: "example.com"}}}
}

// report sends a postback as a server does, by the postback key, and returns the answer.
func (s *stage) report(t *testing.T, query string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"https://"+s.receiver+"/"+receivertest.Key+"/postback?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := s.client()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// click is what the store has of a click.
type click struct {
	SubID, Campaign, UserAgent string
	Params                     map[string]string
}

// clicks returns what is stored, in the order of arrival.
func (s *stage) clicks(t *testing.T) []click {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(),
		"select subid, campaign, coalesce(user_agent, ''), coalesce(params, '{}') from clicks order by seq")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []click
	for rows.Next() {
		var c click
		var params string
		if err := rows.Scan(&c.SubID, &c.Campaign, &c.UserAgent, &params); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(params), &c.Params); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// conversion and received are what the tests look at of the read API's items.
type conversion struct {
	TID            string            `json:"tid"`
	Type           string            `json:"type"`
	Payout         string            `json:"payout"`
	OriginalStatus string            `json:"original_status"`
	Params         map[string]string `json:"params"`
}

type received struct {
	KeyID   string  `json:"key_id"`
	Method  string  `json:"method"`
	Query   string  `json:"query"`
	Outcome string  `json:"outcome"`
	Reason  *string `json:"reason"`
}

// list returns what the read API lists, newest first.
func list[T any](t *testing.T, s *stage, path string, query url.Values) []T {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.ops+path+"?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s (%v)", request.URL, response.Status, text, err)
	}
	var page struct {
		Items []T `json:"items"`
	}
	if err := json.Unmarshal(text, &page); err != nil {
		t.Fatal(err)
	}
	return page.Items
}

// eventually waits until what is the case.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: still not after %s", what, patience)
		}
	}
}
