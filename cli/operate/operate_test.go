package operate_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/cli/command"
)

// receiver answers as one whose dry run has a row, and which refuses to run it with the given answer, if there is one.
type receiver struct {
	refusal string
	// asked are the bodies of the operations, changed the requests that change something.
	asked   []string
	changed []*http.Request
}

const dryRun = `{"id":"o1","kind":"replay","state":"dry_run_done","dry_run":true,"total":1,"done":1,` +
	`"outcomes":{"recorded":1},"money":[{"metric":"confirmed","currency":"USD","amount":"9"}]}`

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodGet {
		text, _ := io.ReadAll(request.Body)
		r.asked = append(r.asked, string(text))
		r.changed = append(r.changed, request)
	}
	answer := ""
	switch path := request.URL.Path; {
	case request.Method == http.MethodPatch:
		w.WriteHeader(http.StatusPreconditionFailed)
		answer = `{"error":"If-Match: the conversion has another version now; look at it again"}`
	case path == "/api/v1/operations":
		answer = strings.Replace(dryRun, "dry_run_done", "running", 1)
	case path == "/api/v1/operations/o1":
		answer = dryRun
	case path == "/api/v1/operations/o1/rows":
		answer = `{"items":[{"number":1,"subid":"c1","tid":"","outcome":"recorded","type":"sale","payout":"9","currency":"USD"}]}`
	case path == "/api/v1/operations/o1/run" && r.refusal != "":
		w.WriteHeader(http.StatusConflict)
		answer = r.refusal
	case path == "/api/v1/operations/o1/run":
		answer = strings.Replace(dryRun, "dry_run_done", "done", 1)
	case path == "/api/v1/conversions/v1/history":
		answer = `{"items":[{"id":"v1","endpoint":"default/shop","type":"sale","payout":"9","currency":"USD","version":3}]}`
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = io.WriteString(w, answer)
}

// kubectl runs the plugin on the receiver.
func (r *receiver) kubectl(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(r)
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	args = append(args, "--server", server.URL, "--token-file", token)
	code = command.Run(t.Context(), "dev", args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestADryRunIsPrintedBeforeAnythingIsChanged(t *testing.T) {
	const told = "ROW  SUBID  TID  BEFORE  AFTER\n1    c1     -    -       recorded sale 9 USD\n" +
		"replay (dry run): 1 row → 1 recorded; +9 USD confirmed\n"
	const conflict = `{"error":"otherwise","total":1,"differences":[{
		"then":{"number":1,"subid":"c1","outcome":"recorded","type":"sale","payout":"9","currency":"USD"},
		"now":{"number":1,"subid":"c1","outcome":"duplicate"}}]}`
	for _, c := range []struct {
		name, refusal string
		args          []string
		code          int
		out, errs     string
		changes       int
	}{
		{
			name: "a dry run changes nothing", args: []string{"--dry-run"}, changes: 1, out: told,
			errs: "nothing is changed; this does it: kubectl postback operations run default/shop o1\n",
		},
		{
			name: "with --yes it is run", args: []string{"--yes"}, changes: 2,
			out: told + "replay: 1 row → 1 recorded; +9 USD confirmed\n",
		},
		{name: "programs get the end of it", args: []string{"--yes", "-o", "name"}, changes: 2, out: "o1\n"},
		{
			name: "what has changed meanwhile is printed", args: []string{"--yes"}, refusal: conflict, code: 1, changes: 2,
			out: told,
			errs: "ROW  SUBID  THE DRY RUN SAID     NOW\n1    c1     recorded sale 9 USD  duplicate\n" +
				"error: 1 rows would come out otherwise than the dry run said: nothing is changed, ask again\n",
		},
		{
			name: "somebody else has run it", args: []string{"--yes"}, refusal: `{"error":"somebody else has just run it"}`, code: 1,
			changes: 2, out: told, errs: "error: somebody else has just run it\n",
		},
		{name: "nobody can be asked", code: 2, errs: "error: there is no terminal to ask at: add --yes to write\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &receiver{refusal: c.refusal}
			code, out, errs := r.kubectl(t, append([]string{"replay", "shop", "--note", "why", "--actor", "ann"}, c.args...)...)
			if code != c.code || out != c.out || errs != c.errs || len(r.changed) != c.changes {
				t.Errorf("exit code %d, %d changes\n%s%s", code, len(r.changed), out, errs)
			}
			for _, request := range r.changed {
				if request.URL.Path == "/api/v1/operations" && request.Header.Get("X-Postback-Actor") != "ann" {
					t.Errorf("it is asked for with %v", request.Header)
				}
			}
		})
	}
}

func TestWhatIsAskedForIsWhatTheFlagsSay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(file, []byte("c1,9"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{
			[]string{"replay", "shop", "--status", "approve", "--from", "2026-03-01", "--forwards", "skip", "--id", "a", "--id", "b"},
			`"kind":"replay","endpoint":"default/shop","forwards":"skip","from":"2026-03-01","status":"approve","ids":["a","b"]`,
		},
		{[]string{"import", "shop", file, "--orphans"}, `"kind":"import","endpoint":"default/shop","text":"c1,9","orphans":true`},
		{
			[]string{"forwards", "resend", "shop", "--rule", "fb", "--failure", "timeout", "--per-second", "9"},
			`"kind":"resend","endpoint":"default/shop","rule":"fb","failure":"timeout","per_second":9`,
		},
		{[]string{"forwards", "resend", "shop", "a"}, `"kind":"resend","endpoint":"default/shop","ids":["a"]`},
		{[]string{"erase", "shop", "--ip", "203.0.113.7", "--all-endpoints"}, `"kind":"erase","ip":"203.0.113.7"`},
		{
			[]string{
				"costs", "shop", "--amount", "12.5", "--from", "2026-03-01", "--to", "2026-03-02", "--campaign", "a", "--param", "k=v",
			},
			`"kind":"costs","endpoint":"default/shop","costs":[{"campaigns":["a"],"from":"2026-03-01","to":"2026-03-02",` +
				`"amount":"12.5","params":{"k":["v"]}}]`,
		},
	} {
		r := &receiver{}
		code, out, errs := r.kubectl(t, append(c.args, "--note", "why", "--dry-run")...)
		if code != 0 || len(r.asked) != 1 {
			t.Errorf("%v: exit code %d, %s%s", c.args, code, out, errs)
			continue
		}
		var got, want map[string]any
		for text, into := range map[string]*map[string]any{
			r.asked[0]: &got, `{"dry_run":true,"note":"why",` + c.want + `}`: &want,
		} {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatal(err)
			}
		}
		gotText, _ := json.Marshal(got)
		if wantText, _ := json.Marshal(want); !bytes.Equal(gotText, wantText) {
			t.Errorf("%v asks for\n%s, want\n%s", c.args, gotText, wantText)
		}
	}
}

func TestAStatementThatDiffersIsNotAsExpected(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(file, []byte("c1,9"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := (&receiver{}).kubectl(t, "reconcile", "shop", file, "--since", "24h", "--note", "why")
	if code != 3 || !strings.Contains(out, "\n1 recorded\nROW") || !strings.Contains(errs, "the statement differs: recorded") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
}

func TestACorrectionIsOfTheVersionThatWasSeen(t *testing.T) {
	r := &receiver{}
	code, out, errs := r.kubectl(t, "correct", "shop", "v1", "--type", "rejected", "--note", "fraud", "--yes")
	if code != 1 || out != "" || !strings.HasPrefix(errs, "error: somebody or a postback has just changed the conversion") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	if len(r.changed) != 1 || r.changed[0].Header.Get("If-Match") != "3" {
		t.Errorf("%d changes", len(r.changed))
	}
	r = &receiver{}
	code, _, errs = r.kubectl(t, "correct", "shop", "v1", "--type", "rejected", "--note", "fraud", "--dry-run")
	if want := "v1: sale 9 USD → rejected 9 USD\nnothing is changed\n"; code != 0 || errs != want || len(r.changed) != 0 {
		t.Errorf("a dry run: exit code %d, %s", code, errs)
	}
	code, _, errs = r.kubectl(t, "correct", "other", "v1", "--type", "rejected", "--note", "fraud", "--yes")
	if code != 1 || errs != "error: the conversion is one of default/shop, not of default/other\n" {
		t.Errorf("of another endpoint: exit code %d, %s", code, errs)
	}
}

func TestAWrongCommandLineAsksForNothing(t *testing.T) {
	for _, args := range [][]string{
		{"replay", "shop", "--yes"},
		{"replay", "shop", "--note", "why", "--yes", "--since", "1h", "--from", "2026-01-01"},
		{"import", "shop", "/no/such/file", "--note", "why", "--yes"},
		{"import", "shop", "-", "--note", "why"},
		{"import", "shop", "-", "--note", "why", "--yes"}, // it is empty
		{"forwards", "resend", "shop", "--note", "why", "--yes"},
		{"costs", "shop", "--note", "why", "--yes"},
		{"costs", "shop", "--amount", "1", "--param", "x", "--note", "why", "--yes"},
		{"correct", "shop", "--type", "sale", "--note", "why", "--yes"},
		{"correct", "shop", "v1", "--subid", "c1", "--type", "sale", "--note", "why", "--yes"},
		{"correct", "shop", "v1", "--note", "why", "--yes"},
		{"adjust", "shop", "v1", "--note", "why", "--yes"},
	} {
		r := &receiver{}
		if code, out, errs := r.kubectl(t, args...); code != 2 || out != "" || len(r.changed) != 0 {
			t.Errorf("%v: exit code %d, %q, %q, %d changes", args, code, out, errs, len(r.changed))
		}
	}
}
