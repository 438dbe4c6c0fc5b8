package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// examplePages are those with examples, and the ops token with which they are run.
var examplePages = []struct{ file, token string }{
	{"../../docs/api.md", ""},
	{"../../docs/operations.md", opsToken},
	{"../../docs/keitaro-api.md", ""},
}

// example is a command of a page, and what it answers there.
type example struct {
	command string
	answer  string
}

// TestTheExamplesOfTheAPI runs every command of the pages.
func TestTheExamplesOfTheAPI(t *testing.T) {
	for _, page := range examplePages {
		t.Run(filepath.Base(page.file), func(t *testing.T) { runExamples(t, page.file, page.token) })
	}
}

func runExamples(t *testing.T, file, token string) {
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	engines := []engine{sqlite, postgres}
	if *update {
		engines = engines[:1]
	}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			r, id := guardedShop(t, e, token)
			operation := "" // the one that was asked for last
			written := consoles.ReplaceAllStringFunc(string(page), func(block string) string {
				var b strings.Builder
				for _, ex := range commands(block) {
					answer := ex.answer
					switch {
					case strings.HasPrefix(ex.command, "sleep "):
						r.ended(t, operation)
					case strings.HasPrefix(ex.command, "curl "): // Others set variables, or are about a cluster.
						answer = r.curl(t, strings.NewReplacer("OPERATION", operation, "ID", id).Replace(ex.command), &operation)
					}
					fmt.Fprintf(&b, "$ %s\n%s", ex.command, answer)
				}
				return "```console\n" + b.String() + "```\n"
			})
			if *update {
				if err := os.WriteFile(file, []byte(written), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(string(page), written); diff != "" {
				t.Errorf("(-page +real; go test -run TestTheExamplesOfTheAPI -update writes it):\n%s", diff)
			}
		})
	}
}

var consoles = regexp.MustCompile("(?s)```console\n.*?```\n")

// commands are the examples of a block.
func commands(block string) []example {
	var all []example
	for line := range strings.Lines(strings.TrimSuffix(strings.TrimPrefix(block, "```console\n"), "```\n")) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, example{command: strings.TrimSuffix(command, "\n")})
		} else if len(all) > 0 {
			all[len(all)-1].answer += line
		}
	}
	return all
}

// shop is a receiver with what the page's examples show, and the id of a conversion with two versions.
func shop(t *testing.T, e engine) (r *rig, id string) {
	t.Helper()
	return guardedShop(t, e, "")
}

// guardedShop is shop, whose API is guarded by a token unless that is empty.
func guardedShop(t *testing.T, e engine, token string) (r *rig, id string) {
	t.Helper()
	endpoints := declare(t, []string{`{"training":[{"type":"sale","statuses":["approved"]}],"forwards":[{"name":"source",
		"url":"http://ts.example/pb?token=s3cr3tt0ken&cid={external_id}&sum={payout}","method":"GET","types":["sale"],"resend":"OnAnyChange"}]}`})
	endpoints[0].Name = "shop"
	r = startWith(t, e, endpoints, token)
	s := sceneOf(r, 0)
	s.endpoint = "default/shop"
	click(`{"subid":"c1","time":"2026-03-01T11:00:00Z","campaign":"spring","keyword":"shoes"}`).run(t, s)
	click(`{"subid":"c2","time":"2026-03-01T11:30:00Z","campaign":"summer","external_id":"x9","sub_id_3":"x"}`).run(t, s)
	for minute, sent := range []request{
		get("subid=c1&status=lead&payout=10", "recorded"),
		get("subid=c1&status=sale&payout=10", "recorded"),
		get("subid=c2&status=approved&payout=12,5&currency=eur&sub_id_3=x", "recorded"),
		get("subid=c2&status=approve&payout=7&tid=2", "ignored; reason=status_unknown"),
		get("subid=c2&status=5&payout=7&tid=3", "ignored; reason=status_unknown"),
		get("subid={click_id}&status=sale", "ignored; reason=subid_unresolved_macro"),
	} {
		clock(time.Duration(minute)*time.Minute).run(t, s)
		sent.run(t, s)
	}
	for _, c := range list[conversion](t, r, "/api/v1/conversions", url.Values{"subid": {"c1"}}) {
		id = c.ID
	}
	return r, id
}

var (
	words   = regexp.MustCompile(`'[^']*'|"[^"]*"|[^ ]+`)
	members = regexp.MustCompile(`^\.(\w+)\[\] \| \{(.*)\}$`)
	uuids   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

// curl runs a command as a shell with curl, jq and cut would. Ids, which are random, are written as on the page.
func (r *rig) curl(t *testing.T, command string, operation *string) string {
	t.Helper()
	command, pipe, _ := strings.Cut(command, " | ")
	sent := &http.Request{Method: http.MethodGet, Header: http.Header{}}
	var target, form string
	var inQuery bool
	args := words.FindAllString(command, -1)[1:]
	for i := 0; i < len(args); i++ {
		value := func() string { i++; return strings.Trim(args[i], `'"`) }
		credentials := strings.NewReplacer("$AUTH", "Authorization: Bearer "+r.token, "$KEY", adminKey)
		switch args[i] {
		case "-H":
			if name, text, _ := strings.Cut(credentials.Replace(value()), ": "); name != "" {
				sent.Header.Set(name, text)
			}
		case "-G":
			inQuery = true
		case "-X":
			sent.Method = value()
		case "-d":
			form += "&" + value()
		case "--data-urlencode":
			name, text, _ := strings.Cut(value(), "=")
			form += "&" + name + "=" + url.QueryEscape(text)
		default:
			target = strings.Replace(strings.Trim(args[i], `"`), "$API", r.ops+"/api/v1", 1)
			target = strings.Replace(target, "$ADMIN", r.admin+"/admin_api/v1", 1)
		}
	}
	form = strings.TrimPrefix(form, "&")
	if inQuery {
		target, form = target+"?"+form, ""
	}
	if form != "" {
		if sent.Method == http.MethodGet {
			sent.Method = http.MethodPost
		}
		sent.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	asked, err := http.NewRequestWithContext(t.Context(), sent.Method, target, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	asked.Header = sent.Header
	response, err := http.DefaultClient.Do(asked)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == http.StatusAccepted {
		*operation = uuids.FindString(string(text))
	}
	return uuids.ReplaceAllString(piped(t, string(text), pipe), "01a2077e-7098-746a-a4e7-688f1004f405")
}

// piped is what jq and cut make of an answer.
func piped(t *testing.T, text, pipe string) string {
	t.Helper()
	tool, args, _ := strings.Cut(pipe, " ")
	switch tool {
	case "":
		return text
	case "cut":
		var b strings.Builder
		for line := range strings.Lines(text) {
			b.WriteString(strings.Join(strings.Split(line, ",")[:4], ",") + "\n")
		}
		return b.String()
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var b bytes.Buffer
	selection, compact := strings.CutPrefix(args, "-c ")
	if compact {
		parts := members.FindStringSubmatch(strings.Trim(selection, "'"))
		var items []map[string]json.RawMessage
		if err := json.Unmarshal(whole[parts[1]], &items); err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			var line []string
			for name := range strings.SplitSeq(parts[2], ", ") {
				line = append(line, fmt.Sprintf("%q:%s", name, item[name]))
			}
			b.WriteString("{" + strings.Join(line, ",") + "}\n")
		}
		return b.String()
	}
	value := json.RawMessage(text)
	if name := strings.TrimPrefix(args, "."); name != "" {
		value = whole[name]
	}
	if err := json.Indent(&b, bytes.TrimSpace(value), "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}
