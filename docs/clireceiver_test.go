package docs

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/controllers/credential"
	"github.com/postback-dev/postback-operator/controllers/offline"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// runningShop is the sample endpoint, served by a real receiver as `make run` serves it.
type runningShop struct {
	ops     string // address of the second port
	public  string // of the port for postbacks
	secrets string // what rendering generated
	token   string // file with the token, empty for a receiver that wants none
}

// opsToken is that of the receiver that changes something.
const opsToken = "ops-token-of-the-page"

// startShop renders the samples, starts a receiver on the shop, and sends it what the page's examples show. One that
// guards takes changes, from who has the token.
func startShop(t *testing.T, guarded bool) runningShop {
	t.Helper()
	dir := t.TempDir()
	var shop runningShop
	var args []string
	if guarded {
		shop.token = filepath.Join(dir, "ops.token")
		if err := os.WriteFile(shop.token, []byte(opsToken), 0o600); err != nil {
			t.Fatal(err)
		}
		args = []string{"--ops-token-file", shop.token}
	}
	program, err := receivertest.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	rendered := filepath.Join(dir, "config")
	made := 0
	err = offline.Render(t.Context(), offline.Options{
		Paths: []string{"../config/samples"}, Dir: rendered, Out: io.Discard, Notices: io.Discard, Now: time.Now(),
		Source: credential.Source{
			Key: func() string { made++; return fmt.Sprintf("k3v9x2m7q4w8z1n5b6c0d8f%03d", made) },
			ID:  func() string { made++; return fmt.Sprintf("enuxq7ab2%03d", made) },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	process, err := receivertest.Start(t.Context(), receivertest.Options{
		Program: program, Config: filepath.Join(rendered, "default.shop"),
		Store: "sqlite://" + filepath.Join(dir, "shop.db"),
		Args:  args,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Kill)
	shop.ops, shop.public = "http://"+process.OpsAddr, "http://"+process.Addr
	shop.secrets = filepath.Join(rendered, "secrets.yaml")
	shop.send(t)
	return shop
}

// send sends a click and some postbacks.
func (s runningShop) send(t *testing.T) {
	t.Helper()
	public := s.public
	key, token := s.credentials(t)
	click := `{"subid":"demo1","campaign":"summer","keyword":"shoes","cost":"0.05"}`
	exchange(t, http.MethodPost, public+"/clicks", token, click)
	for _, query := range []string{
		"subid=demo1&status=lead&payout=10",
		"subid=demo1&status=sale&payout=12.5&currency=eur",
		"subid=demo1&status=sale&payout=12.5&currency=eur",
		"clickid=demo1&status=approved&tid=2&payout=7",
		"subid=demo1&status=approve&tid=3&payout=7",
		"subid=%7Bsubacc4%7D&status=sale",
	} {
		exchange(t, http.MethodGet, public+"/"+key+"/postback?"+query, "", "")
	}
	if s.token != "" {
		s.sendLate(t, key, token)
	}
}

// sendLate sends a postback, and afterwards the click that it is about.
func (s runningShop) sendLate(t *testing.T, key, token string) {
	t.Helper()
	exchange(t, http.MethodGet, s.public+"/"+key+"/postback?subid=late1&status=sale&payout=9&tid=4", "", "")
	exchange(t, http.MethodPost, s.public+"/clicks", token, `{"subid":"late1","campaign":"summer"}`)
}

func exchange(t *testing.T, method, url, token, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s", method, url, response.Status)
	}
}

// credentials are those of the shop in the rendered file.
func (s runningShop) credentials(t *testing.T) (key, token string) {
	t.Helper()
	text, err := os.ReadFile(s.secrets)
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		if strings.Contains(document, "name: shop-key\n") {
			field := func(name string) string {
				return regexp.MustCompile(`(?m)^  ` + name + `: (.*)$`).FindStringSubmatch(document)[1]
			}
			return field("key"), field("clickToken")
		}
	}
	t.Fatal("no Secret shop-key was rendered")
	return "", ""
}

// steady are what differs from run to run, and what the page has in its place.
var steady = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{
		regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`),
		"01a2077e-7098-746a-a4e7-688f1004f405",
	},
	{regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "2026-03-01T12:02:00Z"},
	{regexp.MustCompile(`20\d\d-\d\d-\d\d \d\d:\d\d`), "2026-03-01 00:00"},
	{regexp.MustCompile(`, [0-9.]+(ms|µs|s) before`), ", 12s before"},
	{regexp.MustCompile(`[ \d]{3}\d ms`), "   3 ms"},
	{regexp.MustCompile(`test-[a-z2-7]{12}`), "test-7kq2m4x9w3vz"},
	{regexp.MustCompile(`k3v9x2m7q4w8z1n5b6c0d8f\d{3}`), "KEY"},
	{regexp.MustCompile(`enuxq7ab2\d{3}`), "enuxq7ab2w5k"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:8081"},
}

func steadied(text string) string {
	for _, s := range steady {
		text = s.pattern.ReplaceAllString(text, s.text)
	}
	return text
}
