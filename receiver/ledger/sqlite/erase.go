package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// selectErased finds the clicks (erased) and the rows of the received log (erased_received) to erase from. The
// parameters are endpoint or null, subid or null, IP or null, parameter or null, value or null.
const selectErased = `
insert or ignore into erased select endpoint, subid from clicks
  where subid = ?2 or ip = ?3 or params ->> ('$."' || ?4 || '"') = ?5;
insert or ignore into erased select endpoint, subid from conversions
  where subid = ?2 or params ->> ('$."' || ?4 || '"') = ?5;
insert or ignore into erased select endpoint, subid from conversion_history
  where subid = ?2 or params ->> ('$."' || ?4 || '"') = ?5;
insert or ignore into erased select endpoint, subid from held where subid = ?2 or intent ->> '$.received_ip' = ?3;
insert or ignore into erased select endpoint, subid from outbox where subid = ?2 or ip = ?3 or click ->> '$.ip' = ?3;
insert or ignore into erased select endpoint, subid from received where subid = ?2 or ip = ?3;
insert or ignore into erased_received select seq from received where ip = ?3;
insert or ignore into erased select endpoint, subid from received where seq in (select seq from erased_received);
delete from erased where subid = '' or ?1 is not null and endpoint is not (select id from endpoints where name = ?1);
insert or ignore into erased_received select seq from received where (endpoint, subid) in erased;
delete from erased_received where ?1 is not null
  and seq not in (select seq from received where endpoint is (select id from endpoints where name = ?1))`

// eraseRows are what is erased of each table. Amounts, types, ids and times stay.
var eraseRows = []struct {
	statement string
	count     func(*ledger.Erasure) *int64
}{
	{"update clicks set ip = null, user_agent = null, params = null, visitor_fields = null where (endpoint, subid) " +
		"in erased",
		func(e *ledger.Erasure) *int64 { return &e.Clicks }},
	{"update conversions set params = null, sender = null, source = null where (endpoint, subid) in erased",
		func(e *ledger.Erasure) *int64 { return &e.Conversions }},
	{"update conversion_history set params = null, sender = null, source = null where (endpoint, subid) in erased",
		func(e *ledger.Erasure) *int64 { return &e.Conversions }},
	{"update received set ip = null, query = null, body = null, subid_from = null, note = null where seq in " +
		"erased_received",
		func(e *ledger.Erasure) *int64 { return &e.Received }},
	{"update held set intent = json_remove(intent, '$.params', '$.from', '$.received_ip') where (endpoint, subid) " +
		"in erased",
		func(e *ledger.Erasure) *int64 { return &e.Held }},
	{`update outbox set ip = null, attempts = null, conversion = json_remove(conversion, '$.params', '$.from', '$.source'),
		click = json_remove(click, '$.params', '$.visitor_fields', '$.ip', '$.user_agent') where (endpoint, subid) in erased`,
		func(e *ledger.Erasure) *int64 { return &e.Outbox }},
}

// Erase blanks IP addresses, user agents, queries, bodies and parameters of what the selection names in the store at
// path, which no receiver may have open, and keeps in the table erasures that it did, and when. Amounts stay, and so do
// subids. Then the store's file is written again, so that nothing of what was erased is left in its unused parts: it
// needs room for a copy. A store in which nothing was found is left as it is.
func Erase(ctx context.Context, path string, what ledger.Selection, now time.Time) (erased ledger.Erasure, err error) {
	defer wrap(&err, "erasing from %s", path)
	kind, err := what.By()
	if err != nil {
		return erased, err
	}
	if err := mustBeStore(ctx, path); err != nil {
		return erased, err
	}
	for _, name := range []string{path + ".lock", path} {
		lock, err := lockFile(ctx, name, 0, slog.New(slog.DiscardHandler))
		if err != nil {
			return erased, err
		}
		// Not before SQLite has let go of the file.
		defer func() { _ = lock.Close() }()
	}
	if erased, err = eraseIn(path, kind, what, now); err != nil || erased == (ledger.Erasure{}) {
		return erased, err
	}
	return erased, rewrite(ctx, path)
}

// eraseIn is one transaction.
func eraseIn(path, kind string, what ledger.Selection, now time.Time) (erased ledger.Erasure, err error) {
	w, err := openWriter(path, Options{}.withDefaults())
	if err != nil {
		return erased, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := run(w.conn, `pragma secure_delete = on; begin immediate;
		create temp table erased (endpoint integer, subid text, primary key (endpoint, subid)) without rowid;
		create temp table erased_received (seq integer primary key)`); err != nil {
		return erased, err
	}
	if err := w.erase(kind, what, now, &erased); err != nil || erased == (ledger.Erasure{}) {
		return ledger.Erasure{}, errors.Join(err, run(w.conn, "rollback"))
	}
	return erased, run(w.conn, "commit; pragma wal_checkpoint(truncate)")
}

func (w *writer) erase(kind string, what ledger.Selection, now time.Time, erased *ledger.Erasure) error {
	if kind == "parameter" {
		if err := w.findInRequests(what); err != nil {
			return err
		}
	}
	ip := ""
	if what.IP.IsValid() {
		ip = what.IP.String()
	}
	var values []driver.Value
	for _, value := range []string{what.Endpoint, what.SubID, ip, what.Parameter, what.Value} {
		if value == "" {
			values = append(values, nil)
		} else {
			values = append(values, value)
		}
	}
	for statement := range strings.SplitSeq(selectErased, ";\n") {
		if _, err := w.once(statement, values[:highest(statement)]...); err != nil {
			return err
		}
	}
	for _, e := range eraseRows {
		n, err := w.once(e.statement)
		if err != nil {
			return err
		}
		*e.count(erased) += n
	}
	_, err := w.once("insert into erasures (at, by, clicks, conversions, received, held, outbox) values (?, ?, ?, ?, "+
		"?, ?, ?)",
		now.UnixMicro(), kind, erased.Clicks, erased.Conversions, erased.Received, erased.Held, erased.Outbox)
	return err
}

// highest returns how many numbered parameters the statement has: SQLite takes no others.
func highest(statement string) int {
	for n := 5; n > 0; n-- {
		if strings.Contains(statement, fmt.Sprint("?", n)) {
			return n
		}
	}
	return 0
}

// once prepares and runs a statement.
func (w *writer) once(statement string, values ...driver.Value) (int64, error) {
	s, err := prepare(w.conn, statement)
	if err != nil {
		return 0, classify(err)
	}
	n, err := s.affect(values...)
	return n, errors.Join(err, s.prepared.Close())
}

// findInRequests adds the rows of the received log whose query or body has the parameter.
func (w *writer) findInRequests(what ledger.Selection) error {
	s, err := prepare(w.conn, "select seq, query, body from received where query is not null or body is not null")
	if err != nil {
		return classify(err)
	}
	var found []int64
	err = s.query(func(r *row) error {
		seq, query, body := r.integer(), r.text(), r.text()
		if hasParameter(query, what) || hasParameter(body, what) {
			found = append(found, seq)
		}
		return r.err
	})
	if err := errors.Join(err, s.prepared.Close()); err != nil {
		return err
	}
	for _, seq := range found {
		if _, err := w.once("insert or ignore into erased_received values (?)", seq); err != nil {
			return err
		}
	}
	return nil
}

// hasParameter reports whether a query or body has the parameter with that value, by the name that its sender gave it.
func hasParameter(raw string, what ledger.Selection) bool {
	values, _ := url.ParseQuery(raw) // As far as it can be read.
	var object map[string]any
	if json.Unmarshal([]byte(raw), &object) == nil {
		for name, value := range object {
			values.Add(name, fmt.Sprint(value))
		}
	}
	for name, list := range values {
		if strings.EqualFold(name, what.Parameter) && slices.Contains(list, what.Value) {
			return true
		}
	}
	return false
}

// rewrite puts a copy in the place of the file, whose unused parts may hold what rows have held before.
func rewrite(ctx context.Context, path string) error {
	partial := path + ".partial"
	if err := errors.Join(remove(partial), createFile(partial)); err != nil {
		return err
	}
	err := copyInto(ctx, path, partial)
	if err == nil {
		err = Check(ctx, partial)
	}
	if err == nil {
		for _, suffix := range sidecars {
			err = errors.Join(err, remove(path+suffix))
		}
	}
	if err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	return publish(partial, path)
}
