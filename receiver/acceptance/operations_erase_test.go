package acceptance

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/setup"
)

// canaries are what a person has left behind.
var canaries = []string{"CANARY-MAIL", "CANARY-SUB", "203.0.113.77", "CANARY-AGENT", "CANARY-LINE", "CANARY-BODY"}

// found returns how often each canary is in all that the store keeps.
func (r *rig) found(t *testing.T) map[string]int {
	t.Helper()
	text := r.dump(t)
	found := map[string]int{}
	for _, canary := range canaries {
		if n := bytes.Count(text, []byte(canary)); n > 0 {
			found[canary] = n
		}
	}
	return found
}

// dump returns the bytes of the files of an embedded store, or a dump of the database with each row of each table.
func (r *rig) dump(t *testing.T) (all []byte) {
	t.Helper()
	if r.engine.name == sqlite.name {
		path := strings.TrimSuffix(strings.TrimPrefix(r.source, "file:"), "?mode=ro")
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files at %s: %v", path, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, content...)
		}
		return all
	}
	const tables = "select convert_to(tablename, 'UTF8') from pg_tables where schemaname = 'public'"
	for _, name := range r.column(t, tables) {
		rows := r.column(t, "select convert_to(replace(t::text, '\\x', ''), 'UTF8') from "+string(name)+" t")
		all = append(all, bytes.Join(rows, nil)...)
	}
	for _, column := range []string{"query", "body"} {
		all = append(all, bytes.Join(r.column(t, "select coalesce("+column+", '') from received"), nil)...)
	}
	return append(all, pgDump(t, r.source)...)
}

// column returns what a query of one column finds.
func (r *rig) column(t *testing.T, query string) (values [][]byte) {
	t.Helper()
	rows, err := r.db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var value []byte
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

// pgDump returns what pg_dump writes, with bytea as text; nothing where the server comes without its client programs.
func pgDump(t *testing.T, dsn string) []byte {
	t.Helper()
	dir, err := pgtest.Binaries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "pg_dump")
	if _, err := os.Stat(program); err != nil {
		return nil
	}
	command := exec.CommandContext(t.Context(), program, "--inserts", "--dbname", dsn)
	command.Env = append(os.Environ(), "PGOPTIONS=-c bytea_output=escape")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	return out
}

// leaveTraces has a person leave something in every table.
func (s *scene) leaveTraces(t *testing.T) {
	t.Helper()
	click(`{"subid":"p1","ip":"203.0.113.77","user_agent":"CANARY-AGENT","external_id":"CANARY-MAIL",`+
		`"sub_id_1":"CANARY-SUB"}`).run(t, s)
	click(`{"subid":"other","external_id":"stays"}`).run(t, s)
	for _, query := range []string{
		"subid=p1&status=lead&payout=1&external_id=CANARY-MAIL", "subid=p1&status=sale&payout=2&email=CANARY-MAIL",
		"subid=p1&status=what&sub_id_2=CANARY-SUB", "subid=other&status=sale&payout=5", "status=sale&email=CANARY-MAIL",
		"subid=waits&status=sale&payout=7&external_id=CANARY-MAIL",
	} {
		s.postback(t, query)
	}
	response, err := http.Post(s.url+"/"+s.key+"/postback", "application/json",
		strings.NewReader(`{"subid":"p1","status":"sale","tid":"b","payout":3,"sub_id_3":"CANARY-BODY","email":"CANARY-MAIL"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	s.done(t, read.NewOperation{
		Kind: "import", Endpoint: s.endpoint, DryRun: true, Text: "subid,payout,sub_id_4\np1,1,CANARY-LINE\n",
	})
	eventually(t, func() string {
		if len(s.found(t)) < len(canaries) {
			return fmt.Sprint(s.found(t))
		}
		return ""
	})
}

func TestWhatIsErasedIsFoundNowhere(t *testing.T) {
	holding := `{"policies":{"unknownClick":"Hold","holdFor":"720h"},` + sending[1:]
	guarded(t, []string{holding, ""}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		s.leaveTraces(t)
		before := s.conversions(t, s.endpoint)
		asked := read.NewOperation{Kind: "erase", DryRun: true, Parameter: "email", Value: "CANARY-MAIL"}
		dry := r.done(t, asked)
		if dry.State != "dry_run_done" || dry.Erased == nil || dry.Erased.Clicks != 1 || dry.Erased.Conversions != 3 ||
			dry.Erased.Postbacks != 5 || dry.Erased.Lines != 1 {
			t.Errorf("dry run: %s %+v", summed(dry), dry.Erased)
		}
		if found := r.found(t); len(found) != len(canaries) {
			t.Errorf("a dry run has erased: only %v is left", found)
		}
		// The sender's own name finds other rows than the parameter that is kept.
		r.asked(t, "/api/v1/operations/"+dry.ID+"/run", nil)
		op := r.ended(t, dry.ID)
		if op.State != "done" || *op.Erased != *dry.Erased || or(op.Actor, "") != "ann" {
			t.Errorf("run: %s %+v", summed(op), op.Erased)
		}
		asked.DryRun, asked.Parameter = false, "external_id"
		op = r.done(t, asked)
		if op.State != "done" || op.Erased == nil || op.Erased.Held != 1 {
			t.Errorf("by the other name: %s %+v", summed(op), op.Erased)
		}
		if found := r.found(t); len(found) > 0 {
			t.Errorf("left: %v", found)
		}
		s.amountsStay(t, len(before))
		s.othersStay(t)

		replayed := r.done(t, read.NewOperation{Kind: "replay", Endpoint: s.endpoint})
		wants(t, "a replay", "done, map[unreplayable:2]", summed(replayed))
	})
}

// amountsStay looks for conversions, and their sums.
func (s *scene) amountsStay(t *testing.T, conversions int) {
	t.Helper()
	if after := s.conversions(t, s.endpoint); len(after) != conversions || strings.Contains(fmt.Sprint(after), "CANARY") {
		t.Errorf("conversions: %v", after)
	}
	revenue := list[read.Revenue](t, s.rig, "/api/v1/revenue", url.Values{"endpoint": {s.endpoint}})
	if len(revenue) != 1 || revenue[0].Total != "10" {
		t.Errorf("the sums have changed: %+v", revenue)
	}
}

// othersStay looks for what has nothing to do with the person.
func (s *scene) othersStay(t *testing.T) {
	t.Helper()
	if has := s.clickParams(t, s.endpoint, "other"); has["external_id"] != "stays" {
		t.Errorf("the other click has %v", has)
	}
	log := list[read.Postback](t, s.rig, "/api/v1/postbacks", url.Values{"subid": {"other"}})
	if len(log) != 1 || !strings.Contains(log[0].Query, "subid=other") {
		t.Errorf("the other postback: %+v", log)
	}
}

func TestAnErasureByAddressAndBySubID(t *testing.T) {
	guarded(t, []string{"", ""}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		for i := range 3 {
			click(fmt.Sprintf(`{"subid":"c%d","ip":"203.0.113.77","external_id":"CANARY-MAIL"}`, i)).run(t, s)
		}
		erased := func(asked read.NewOperation) string {
			asked.Kind = "erase"
			op := r.done(t, asked)
			if op.Erased == nil {
				return op.State
			}
			return fmt.Sprint(op.State, " ", op.Erased.Clicks, " ", op.Erased.Postbacks)
		}
		wants(t, "by subid, of another endpoint", "done", erased(read.NewOperation{Endpoint: "default/e001", SubID: "c0"}))
		wants(t, "by subid", "done 1 0", erased(read.NewOperation{Endpoint: s.endpoint, SubID: "c0"}))
		clock(time.Minute).run(t, s)
		s.postback(t, "subid=c1&status=sale&payout=1")
		wants(t, "by address, of all endpoints", "done 2 1", erased(read.NewOperation{IP: "203.0.113.77"}))
		if found := r.found(t); len(found) > 0 {
			t.Errorf("left: %v", found)
		}
		token := "Authorization: Bearer " + read.Token(opsToken, read.Grant{
			Endpoint: s.endpoint, Scopes: []read.Scope{read.ScopeWrite},
		})
		for says, body := range map[string]string{
			`"subid: `: `{"kind":"erase","note":"n"}`, `"ip: `: `{"kind":"erase","note":"n","ip":"1.2"}`,
			`"note: has`:    `{"kind":"erase","note":"erase CANARY-MAIL","parameter":"email","value":"canary-mail"}`,
			`"subid: a`:     `{"kind":"erase","note":"n","parameter":"email"}`,
			`"subid: no`:    `{"kind":"erase","note":"n","parameter":"e\"","value":"v"}`,
			`"forwards: is`: `{"kind":"erase","note":"n","subid":"c","forwards":"skip"}`,
		} {
			if status, text := r.raw(t, http.MethodPost, "/api/v1/operations", body); status != 400 ||
				!strings.Contains(text, says) || strings.Contains(text, "1.2") {
				t.Errorf("%s: %d %s", body, status, text)
			}
		}
		status, text := r.raw(t, http.MethodPost, "/api/v1/operations",
			`{"kind":"erase","note":"n","subid":"c2","dry_run":true}`, token)
		if status != http.StatusAccepted || !strings.Contains(text, `"endpoint":"default/e000"`) {
			t.Errorf("a token of an endpoint: %d %s", status, text)
		}
	})
}

func TestTheCommandErasesBesideReceiversOfADatabase(t *testing.T) {
	r := startWith(t, postgres, declare(t, []string{""}), opsToken)
	s := sceneOf(r, 0)
	click(`{"subid":"c1","external_id":"CANARY-MAIL"}`).run(t, s)
	what := ledger.Selection{Parameter: "external_id", Value: "CANARY-MAIL"}
	options := setup.Options{Store: r.source, Logger: slog.New(slog.DiscardHandler)}
	erased, err := setup.Erase(t.Context(), options, what, "by command")
	if err != nil || erased.Clicks != 1 {
		t.Errorf("%+v: %v", erased, err)
	}
	if found := r.found(t); len(found) > 0 {
		t.Errorf("left: %v", found)
	}
	ops := list[read.Operation](t, r, "/api/v1/operations", url.Values{"kind": {"erase"}})
	if len(ops) != 1 || or(ops[0].Actor, "") != "receiver erase" || or(ops[0].Note, "") != "by command" {
		t.Errorf("%+v", ops)
	}
}
