package acceptance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

const opsToken = "ops-token-k4m8q2z7"

// send sends JSON to the API, with an actor, and returns the answer's status and text.
func (r *rig) send(t *testing.T, method, path string, body any, headers ...string) (int, string) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return r.raw(t, method, path, string(text), headers...)
}

// raw is send for a body that need not be JSON.
func (r *rig) raw(t *testing.T, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.ops+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	authorize(request, r.token)
	request.Header.Set("X-Postback-Actor", "ann")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// asked sends JSON and demands an operation as the answer.
func (r *rig) asked(t *testing.T, path string, body any, headers ...string) read.Operation {
	t.Helper()
	status, text := r.send(t, http.MethodPost, path, body, headers...)
	var op read.Operation
	if err := json.Unmarshal([]byte(text), &op); err != nil || status != http.StatusAccepted {
		t.Fatalf("%s: %d %s (%v)", path, status, text, err)
	}
	return op
}

// ended waits until the operation is not running any more.
func (r *rig) ended(t *testing.T, id string) (op read.Operation) {
	t.Helper()
	eventually(t, func() string {
		_, text := r.read(t, "/api/v1/operations/"+id)
		op = read.Operation{}
		if err := json.Unmarshal([]byte(text), &op); err != nil {
			t.Fatal(err)
		}
		if op.State == "running" {
			return "it is running"
		}
		return ""
	})
	return op
}

// done asks for an operation, waits for its end, and tells what came out.
func (r *rig) done(t *testing.T, asked read.NewOperation) read.Operation {
	t.Helper()
	if asked.Note == "" {
		asked.Note = "because of a test"
	}
	return r.ended(t, r.asked(t, "/api/v1/operations", asked).ID)
}

// summed tells an operation in one line.
func summed(op read.Operation) string {
	parts := []string{op.State, fmt.Sprintf("%v", op.Outcomes)}
	if len(op.Reasons) > 0 {
		parts = append(parts, fmt.Sprintf("%v", op.Reasons))
	}
	for _, m := range op.Money {
		parts = append(parts, m.Metric+" "+m.Amount+" "+m.Currency)
	}
	if len(op.Forwards) > 0 {
		parts = append(parts, fmt.Sprintf("s2s %v", op.Forwards))
	}
	if op.Error != nil {
		parts = append(parts, *op.Error)
	}
	return strings.Join(parts, ", ")
}

func wants(t *testing.T, what, want, got string) {
	t.Helper()
	if want != got {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// guarded runs a test on both engines, with an ops token and an endpoint for each fragment of configuration.
func guarded(t *testing.T, fragments []string, test func(t *testing.T, r *rig)) {
	t.Helper()
	for _, e := range []engine{sqlite, postgres} {
		t.Run(e.name, func(t *testing.T) { test(t, startWith(t, e, declare(t, fragments), opsToken)) })
	}
}

const sending = `{"forwards":[{"name":"source","url":"http://127.0.0.1:9/pb?cid={subid}","method":"GET",` +
	`"types":["sale"],"resend":"OnAnyChange"}]}`

func TestAReplayRecordsWhatCouldNotBeRecorded(t *testing.T) {
	guarded(t, []string{sending}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		get("subid=late&status=sale&payout=10", "ignored; reason=click_not_found").run(t, s)
		get("subid=late&status=approve&tid=2&payout=5", "ignored; reason=status_unknown").run(t, s)
		clock(time.Minute).run(t, s)
		click(`{"subid":"late","time":"2026-03-01T11:00:00Z"}`).run(t, s)

		asked := read.NewOperation{Kind: "replay", Endpoint: s.endpoint, DryRun: true}
		dry := r.done(t, asked)
		const out = "map[ignored:1 recorded:1], map[status_unknown:1], confirmed 10 USD, s2s map[source:1]"
		wants(t, "dry run", "dry_run_done, "+out, summed(dry))
		if told := s.conversions(t, s.endpoint); len(told) > 0 {
			t.Fatalf("a dry run has recorded %v", told)
		}
		if got := s.forwards(t, s.endpoint); len(got) > 0 {
			t.Fatalf("a dry run has sent %v", got)
		}
		r.asked(t, "/api/v1/operations/"+dry.ID+"/run", nil)
		op := r.ended(t, dry.ID)
		wants(t, "run", "done, "+out, summed(op))
		wants(t, "actor", "ann", or(op.Actor, ""))
		// The conversion has the time of the postback, not of the replay.
		if diff := cmp.Diff([]string{`"": sale 10`}, s.conversions(t, s.endpoint)); diff != "" {
			t.Error(diff)
		}
		for _, c := range list[conversion](t, r, "/api/v1/conversions", url.Values{"endpoint": {s.endpoint}}) {
			if !c.CreatedAt.Equal(epoch) {
				t.Errorf("created at %s", c.CreatedAt)
			}
		}
		wants(t, "S2S", "[sale]", fmt.Sprint(s.forwards(t, s.endpoint)))
		log := list[read.Postback](t, r, "/api/v1/postbacks", url.Values{"outcome": {"recorded"}})
		if len(log) != 1 || log[0].Kind != "replay" || or(log[0].Actor, "") != "ann" || log[0].Origin == nil ||
			or(log[0].Operation, "") != op.ID || or(log[0].Note, "") != "because of a test" {
			t.Errorf("the log has %+v", log)
		}

		// A second replay finds nothing new; the same of everything, neither.
		again := r.done(t, read.NewOperation{Kind: "replay", Endpoint: s.endpoint, IncludeRecorded: true})
		wants(t, "again", "done, map[duplicate:1 ignored:1], map[status_unknown:1]", summed(again))
	})
}

func TestAReplayOfEverythingChangesNothing(t *testing.T) {
	configs := []string{
		sending,
		`{"policies":{"transitions":"ForwardOnly"}}`,
		`{"policies":{"repeat":"Ignore"}}`,
		`{"policies":{"slot":"TidAndType","unknownClick":"Record"}}`,
		`{"browser":{"origins":["https://a.example"],"types":["lead"],"ratePerMinute":1000}}`,
	}
	guarded(t, configs, func(t *testing.T, r *rig) {
		for i := range configs {
			s := sceneOf(r, i)
			clock(0).run(t, s)
			click(`{"subid":"c1","time":"2026-03-01T11:00:00Z"}`).run(t, s)
			for n, query := range []string{
				"subid=c1&status=lead&payout=1", "subid=c1&status=sale&payout=2&sub_id_1=a", "subid=c1&status=sale&payout=2&x=y",
				"subid=c1&status=lead&payout=3", "subid=c1&status=rejected", "subid=c1&status=sale&payout=4&tid=t1",
				"subid=c1&status=sale&payout=4&tid=t1", "subid=nobody&status=lead", "subid=c1&status=what", "subid=",
				"subid=c1&status=sale&payout=1&currency=XTS&tid=t2", "subid=c1&status=deposit&payout=7&currency=EUR&tid=t3",
			} {
				clock(time.Duration(n+1)*time.Minute).run(t, s)
				s.postback(t, query)
			}
			versions := func() []string {
				var all []string
				for _, c := range list[conversion](t, r, "/api/v1/conversions", url.Values{"endpoint": {s.endpoint}}) {
					for _, v := range list[conversion](t, r, "/api/v1/conversions/"+c.ID+"/history", url.Values{}) {
						all = append(all, fmt.Sprint(v.ID, v.Version, " ", v))
					}
				}
				return all
			}
			before, sent := versions(), s.forwards(t, s.endpoint)
			clock(time.Hour).run(t, s)
			op := r.done(t, read.NewOperation{
				Kind: "replay", Endpoint: s.endpoint, IncludeRecorded: true, IncludeRefused: true,
			})
			if op.State != "done" || op.Outcomes["recorded"] > 0 || op.Done != 12 {
				t.Errorf("%s: %s", configs[i], summed(op))
			}
			if diff := cmp.Diff(before, versions()); diff != "" {
				t.Errorf("%s:\n%s", configs[i], diff)
			}
			if diff := cmp.Diff(sent, s.forwards(t, s.endpoint)); diff != "" {
				t.Errorf("%s: S2S\n%s", configs[i], diff)
			}
		}
	})
}

func TestWherePayoutsAddUpAReplayAddsOnce(t *testing.T) {
	guarded(t, []string{`{"policies":{"repeat":"Add"}}`}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		for range 3 {
			get("subid=late&status=sale&payout=10", "ignored; reason=click_not_found").run(t, s)
		}
		click(`{"subid":"late","time":"2026-03-01T11:00:00Z"}`).run(t, s)
		clock(time.Minute).run(t, s)
		asked := read.NewOperation{Kind: "replay", Endpoint: s.endpoint}
		wants(t, "replay", "done, map[recorded:3], confirmed 30 USD", summed(r.done(t, asked)))
		wants(t, "second replay", "done, map[duplicate:3]", summed(r.done(t, asked)))
		wants(t, "conversions", `["": sale 30, was sale]`, fmt.Sprint(s.conversions(t, s.endpoint)))
		status, text := r.send(t, http.MethodPost, "/api/v1/operations", read.NewOperation{
			Kind: "replay", Endpoint: s.endpoint, Note: "n", IncludeRecorded: true,
		})
		if status != http.StatusBadRequest || !strings.Contains(text, "include_recorded: ") {
			t.Errorf("%d %s", status, text)
		}
	})
}

func TestADryRunIsNotRunWhenThingsHaveChanged(t *testing.T) {
	guarded(t, []string{""}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		get("subid=late&status=sale&payout=10", "ignored; reason=click_not_found").run(t, s)
		dry := r.done(t, read.NewOperation{Kind: "replay", Endpoint: s.endpoint, DryRun: true})
		click(`{"subid":"late","time":"2026-03-01T11:00:00Z"}`).run(t, s)
		status, text := r.send(t, http.MethodPost, "/api/v1/operations/"+dry.ID+"/run", nil)
		var differ read.OperationDifferences
		if err := json.Unmarshal([]byte(text), &differ); err != nil || status != http.StatusConflict {
			t.Fatalf("%d %s (%v)", status, text, err)
		}
		if differ.Total != 1 || len(differ.Differences) != 1 || or(differ.Differences[0].Then.Outcome, "") != "ignored" ||
			or(differ.Differences[0].Now.Outcome, "") != "recorded" || or(differ.Differences[0].Now.Payout, "") != "10" {
			t.Errorf("%s", text)
		}
		if told := s.conversions(t, s.endpoint); len(told) > 0 {
			t.Errorf("%v", told)
		}
		r.asked(t, "/api/v1/operations/"+dry.ID+"/cancel", nil)
		if status, _ := r.send(t, http.MethodPost, "/api/v1/operations/"+dry.ID+"/run", nil); status != http.StatusConflict {
			t.Errorf("a cancelled one can be run: %d", status)
		}
	})
}

func TestWhoMayAskForOperations(t *testing.T) {
	r := startWith(t, sqlite, declare(t, []string{"", ""}), opsToken)
	s := sceneOf(r, 0)
	get("subid=late&status=sale", "ignored; reason=click_not_found").run(t, s)
	grant := func(scopes ...read.Scope) string {
		return "Authorization: Bearer " + read.Token(opsToken, read.Grant{Endpoint: s.endpoint, Scopes: scopes})
	}
	asked := read.NewOperation{Kind: "replay", Note: "n", DryRun: true}
	for _, c := range []struct {
		name   string
		asked  read.NewOperation
		header string
		status int
		says   string
	}{
		{"a token of the endpoint that may write", asked, grant(read.ScopeWrite), 202, `"actor":"token of default/e000"`},
		{"one that may say for whom", asked, grant(read.ScopeWrite, read.ScopeActor), 202, `"actor":"ann"`},
		{"one that may only read", asked, grant(read.ScopeRead), 403, "lacks the scope write"},
		{"one of another endpoint", read.NewOperation{Kind: "replay", Note: "n", Endpoint: "default/e001"},
			grant(read.ScopeWrite), 403, "endpoint: "},
		{"no token", asked, "Authorization: none", 401, "ops token"},
		{"no endpoint", asked, "X-Postback-Actor: bob", 400, "endpoint: "},
		{"no note", read.NewOperation{Kind: "replay", Endpoint: s.endpoint}, "X-A: b", 400, "note: "},
		{"a long note", read.NewOperation{Kind: "replay", Endpoint: s.endpoint, Note: strings.Repeat("ä", 501)}, "X-A: b", 400,
			"note: "},
		{"no such kind", read.NewOperation{Kind: "what", Endpoint: s.endpoint, Note: "n"}, "X-A: b", 400, "kind: "},
		{"what is no time", read.NewOperation{Kind: "replay", Endpoint: s.endpoint, Note: "n", From: "x"}, "X-A: b", 400,
			"from: "},
		{"a long actor", asked, "X-Postback-Actor: " + strings.Repeat("x", 300), 400, "X-Postback-Actor: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, text := r.send(t, http.MethodPost, "/api/v1/operations", c.asked, c.header)
			if status != c.status || !strings.Contains(text, c.says) {
				t.Errorf("%d %s, want %d and %s", status, text, c.status, c.says)
			}
		})
	}
	if status, text := r.send(t, http.MethodPost, "/api/v1/operations", map[string]any{"kind": "replay", "nots": 1}); status !=
		http.StatusBadRequest || !strings.Contains(text, "nots") {
		t.Errorf("an unknown field: %d %s", status, text)
	}

	t.Run("a request that is sent again asks for nothing new", func(t *testing.T) {
		asked.Endpoint = s.endpoint
		first := r.asked(t, "/api/v1/operations", asked, "Idempotency-Key: abc")
		second := r.asked(t, "/api/v1/operations", asked, "Idempotency-Key: abc")
		if first.ID != second.ID {
			t.Errorf("%s and %s", first.ID, second.ID)
		}
		asked.IncludeRefused = true
		if status, text := r.send(t, http.MethodPost, "/api/v1/operations", asked, "Idempotency-Key: abc"); status !=
			http.StatusBadRequest || !strings.Contains(text, "Idempotency-Key: ") {
			t.Errorf("another request with the same key: %d %s", status, text)
		}
		r.ended(t, first.ID)
	})
	t.Run("they are listed, and so are their rows", func(t *testing.T) {
		ops := list[read.Operation](t, r, "/api/v1/operations", url.Values{"kind": {"replay"}, "limit": {"1"}})
		if len(ops) != 1 {
			t.Fatalf("%d operations", len(ops))
		}
		rows := "/api/v1/operations/" + ops[0].ID + "/rows"
		if got := list[read.OperationRow](t, r, rows, url.Values{"outcome": {"ignored"}}); len(got) != 1 ||
			or(got[0].Reason, "") != "click_not_found" {
			t.Errorf("%+v", got)
		}
		if got := list[read.OperationRow](t, r, rows, url.Values{"outcome": {"recorded"}}); len(got) != 0 {
			t.Errorf("%+v", got)
		}
		if _, text := r.read(t, rows+".csv"); strings.Count(text, "\n") != 2 {
			t.Errorf("%s", text)
		}
		for target, says := range map[string]string{
			rows + "?outcome=x": "outcome: ", rows + "?kind=x": "kind: ", "/api/v1/operations?state=x": "state: ",
			"/api/v1/operations/x": "id: ",
		} {
			if status, text := r.read(t, target); status != http.StatusBadRequest || !strings.Contains(text, says) {
				t.Errorf("%s: %d %s", target, status, text)
			}
		}
		if status, _ := r.read(t, "/api/v1/operations/01a2077e-7098-746a-a4e7-688f1004f405"); status != http.StatusNotFound {
			t.Errorf("one that there is not: %d", status)
		}
	})
}

// postback sends one of which everything is a matter of course but that it is answered.
func (s *scene) postback(t *testing.T, query string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/"+s.key+"/postback?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if _ = response.Body.Close(); response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", query, response.Status)
	}
}

func TestAnImportRecordsEachLine(t *testing.T) {
	guarded(t, []string{sending, `{"aliases":{"subid":["clickid"]}}`}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		click(`{"subid":"c1","time":"2026-03-01T11:00:00Z"}`).run(t, s)
		click(`{"subid":"c2","time":"2026-03-01T11:00:00Z"}`).run(t, s)
		for _, c := range []struct {
			name  string
			asked read.NewOperation
			want  string
		}{
			{"Keitaro's order", read.NewOperation{Text: "\ufeffc1,10\r\n\r\nc1,5,t2,lead\r\nnobody,1\r\nc2,,,what\r\n"},
				"done, map[ignored:2 recorded:2], map[click_not_found:1 status_unknown:1], confirmed 10 USD, hold 5 USD"},
			{"the same again", read.NewOperation{Text: "c1,10\nc1,5,t2,lead"}, "done, map[duplicate:2]"},
			{"a header, semicolons, quotes and a currency",
				read.NewOperation{Text: "status;subid;currency;payout;sub_id_1\nsale;c2;EUR;\"10,0\";\"a;b\"\n"},
				"done, map[recorded:1], confirmed 11 USD"},
			{"lines that see each other", read.NewOperation{Text: "c1\t4\tt3\tlead\nc1\t4\tt3\tsale\n", DryRun: true},
				"dry_run_done, map[recorded:2], confirmed 4 USD"},
			{"S2S when asked for", read.NewOperation{Text: "c1,4,t4", Forwards: "send"},
				"done, map[recorded:1], confirmed 4 USD, s2s map[source:1]"},
			{"orphans", read.NewOperation{Text: "nobody,1", Orphans: true}, "done, map[recorded:1], confirmed 1 USD"},
		} {
			t.Run(c.name, func(t *testing.T) {
				clock(time.Duration(r.steps.Add(1))*time.Minute).run(t, s)
				c.asked.Kind, c.asked.Endpoint = "import", s.endpoint
				wants(t, "import", c.want, summed(r.done(t, c.asked)))
			})
		}
		wants(t, "S2S", "[sale]", fmt.Sprint(s.forwards(t, s.endpoint)))
		if diff := cmp.Diff([]string{
			`"": sale 10`, `"t2": lead 5`, `"": sale 11 = 10 EUR × 1.1, map[sub_id_1:a;b]`, `"t4": sale 4`,
			`"": sale 1, orphan`,
		}, s.conversions(t, s.endpoint)); diff != "" {
			t.Error(diff)
		}
		for _, text := range []string{"", "\n\n", "c1,1,t,sale,x", "subid,subid\nc1,c1", "c1,\"a", "c1,\x00"} {
			status, answer := r.send(t, http.MethodPost, "/api/v1/operations",
				read.NewOperation{Kind: "import", Endpoint: s.endpoint, Note: "n", Text: text})
			if status != http.StatusBadRequest || !strings.Contains(answer, `"text: `) {
				t.Errorf("%q: %d %s", text, status, answer)
			}
		}
		status, answer := r.send(t, http.MethodPost, "/api/v1/operations",
			read.NewOperation{Kind: "import", Endpoint: s.endpoint, Note: "n", Text: "c1", Reason: "status_unknown"})
		if status != http.StatusBadRequest || !strings.Contains(answer, `"reason: `) {
			t.Errorf("%d %s", status, answer)
		}
	})
}

func TestAStatementIsReconciled(t *testing.T) {
	guarded(t, []string{""}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		begin := time.Now().UTC().Truncate(time.Second)
		clock(begin.Sub(epoch)).run(t, s)
		click(`{"subid":"c1"}`).run(t, s)
		for _, query := range []string{"tid=a&payout=1", "tid=b&payout=2", "tid=c&payout=3"} {
			s.postback(t, "subid=c1&status=sale&"+query)
		}
		asked := read.NewOperation{
			Kind: "reconcile", Endpoint: s.endpoint, DryRun: true, Text: "c1,1,a\nc1,5,b\nc1,9,d\n",
			From: begin.Add(-time.Minute).Format(time.RFC3339), To: begin.Add(time.Minute).Format(time.RFC3339),
		}
		dry := r.done(t, asked)
		wants(t, "dry run", "dry_run_done, map[duplicate:1 missing:1 recorded:2], confirmed 12 USD", summed(dry))
		missing := list[read.OperationRow](t, r, "/api/v1/operations/"+dry.ID+"/rows", url.Values{"outcome": {"missing"}})
		if len(missing) != 1 || missing[0].TID != "c" || or(missing[0].Payout, "") != "3" || missing[0].Version != nil {
			t.Errorf("%+v", missing)
		}
		r.asked(t, "/api/v1/operations/"+dry.ID+"/run", nil)
		wants(t, "run", "done, map[duplicate:1 missing:1 recorded:2], confirmed 12 USD", summed(r.ended(t, dry.ID)))
		asked.DryRun, asked.Note = false, "n"
		if status, text := r.send(t, http.MethodPost, "/api/v1/operations", asked); status != http.StatusBadRequest {
			t.Errorf("%d %s", status, text)
		}
	})
}

func TestAPersonCorrectsAConversion(t *testing.T) {
	guarded(t, []string{`{"policies":{"transitions":"ForwardOnly"},` + sending[1:], ""}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		click(`{"subid":"c1","time":"2026-03-01T11:00:00Z"}`).run(t, s)
		get("subid=c1&status=rejected&payout=10", "recorded").run(t, s)
		id := list[conversion](t, r, "/api/v1/conversions", url.Values{"endpoint": {s.endpoint}})[0].ID
		clock(time.Minute).run(t, s)
		for _, c := range []struct {
			name, body, match string
			status            int
			says              string
		}{
			{"without the version", `{"type":"sale","note":"n"}`, "", 428, "If-Match: "},
			{"with another version", `{"type":"sale","note":"n"}`, "7", 412, "If-Match: "},
			{"with what is no version", `{"type":"sale","note":"n"}`, "x", 400, "If-Match: "},
			{"without a note", `{"type":"sale"}`, "1", 400, "note: "},
			{"no such type", `{"type":"what","note":"n"}`, "1", 400, "type: must be one of lead, sale"},
			{"no number", `{"payout":"1,234","note":"n"}`, "1", 400, "payout: "},
			{"no rate", `{"payout":"1","currency":"XTS","note":"n"}`, "1", 400, "currency: "},
			{"what there is not", `{"price":"1","note":"n"}`, "1", 400, "price"},
			{"back to a sale, in euros", `{"type":"sale","payout":"20","currency":"eur","note":"ticket 81"}`, "1", 200,
				`"payout":"22"`},
			{"the same again", `{"type":"sale","payout":"20","currency":"eur","note":"ticket 81"}`, "2", 200, `"version":2`},
		} {
			t.Run(c.name, func(t *testing.T) {
				headers := []string{"X-A: b"}
				if c.match != "" {
					headers[0] = "If-Match: " + c.match
				}
				status, text := r.send(t, http.MethodPatch, "/api/v1/conversions/"+id, json.RawMessage(c.body), headers...)
				if status != c.status || !strings.Contains(text, c.says) {
					t.Errorf("%d %s, want %d and %s", status, text, c.status, c.says)
				}
			})
		}
		clock(2*time.Minute).run(t, s)
		get("subid=c1&status=rejected", "ignored; reason=corrected_by_hand").run(t, s)
		if status, text := r.send(t, http.MethodPatch, "/api/v1/conversions/"+id, read.Correction{Unpin: true, Note: "n"},
			"If-Match: 2"); status != http.StatusOK || !strings.Contains(text, `"pinned":false`) {
			t.Errorf("%d %s", status, text)
		}
		get("subid=c1&status=rejected&payout=20&currency=EUR", "recorded").run(t, s)
		wants(t, "S2S", "[sale]", fmt.Sprint(s.forwards(t, s.endpoint)))
		log := list[read.Postback](t, r, "/api/v1/postbacks", url.Values{"filter": {"kind eq manual"}})
		if len(log) != 2 || or(log[1].Note, "") != "ticket 81" || or(log[1].Actor, "") != "ann" || *log[1].Version != 2 {
			t.Errorf("%+v", log)
		}

		path := "/api/v1/conversions/" + id + "/adjustments"
		for range 2 {
			if status, text := r.send(t, http.MethodPost, path, read.Correction{Payout: "-2.5", Type: "sale", Note: "fee",
				Forwards: "skip"}, "Idempotency-Key: k"); status != http.StatusOK || !strings.Contains(text, `"payout":"-2.5"`) ||
				!strings.Contains(text, `"tid":"adj-`) || !strings.Contains(text, `"pinned":true`) {
				t.Errorf("%d %s", status, text)
			}
		}
		if all := s.conversions(t, s.endpoint); len(all) != 2 {
			t.Errorf("%v", all)
		}
		token := "Authorization: Bearer " + read.Token(opsToken, read.Grant{
			Endpoint: "default/e001", Scopes: []read.Scope{read.ScopeWrite},
		})
		if status, text := r.send(t, http.MethodPost, path, read.Correction{Payout: "1", Note: "n"}, token); status !=
			http.StatusNotFound {
			t.Errorf("another's token: %d %s", status, text)
		}
	})
}
