package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// What selects the rows of each table, by the kind of the selection. ?1 is the value, ?2 the parameter's name.
const paramIs = ` ->> ('$."' || ?2 || '"') = ?1`

// listHas is paramIs for parameters that are a list of names and values in a document.
const listHas = "exists (select 1 from json_each(%s, '$.params') " +
	"where value ->> '$.name' = ?2 and value ->> '$.value' = ?1)"

var selectErasable = map[string]map[string]string{
	ledger.BySubID: {
		"clicks": "subid = ?1", "conversions": "subid = ?1", "conversion_history": "subid = ?1", "held": "subid = ?1",
		"outbox": "subid = ?1", "received": "subid = ?1",
	},
	ledger.ByIP: {
		"clicks": "ip = ?1", "held": "intent ->> '$.received_ip' = ?1", "outbox": "ip = ?1 or click ->> '$.ip' = ?1",
		"received": "ip = ?1",
	},
	ledger.ByParameter: {
		"clicks": "params" + paramIs, "conversions": "params" + paramIs, "conversion_history": "params" + paramIs,
		"held":   fmt.Sprintf(listHas, "intent"),
		"outbox": fmt.Sprintf(listHas, "conversion") + " or " + fmt.Sprintf(listHas, "click"),
	},
}

// Erasable implements [ledger.Erasures]. Queries and bodies are looked into row by row: the names in them are the
// senders'.
func (s *Store) Erasable(ctx context.Context, what ledger.Selection) iter.Seq2[ledger.Erasable, error] {
	return func(yield func(ledger.Erasable, error) bool) {
		by, err := what.By()
		if err != nil {
			yield(ledger.Erasable{}, err)
			return
		}
		value, parameter := what.Terms()
		args := []any{value, parameter, what.Endpoint}
		for name, condition := range selectErasable[by] {
			id := "null"
			if name == "received" {
				id = "iif(t.subid = '', t.id, null)"
			}
			query := "select e.name, t.subid, " + id + ", null, null from " + name + " t " +
				"join endpoints e on e.id = t.endpoint " +
				"where (?3 = '' or e.name = ?3) and ?2 is not null and (" + condition + ")"
			if !eachErasable(ctx, s, query, args, func(string) bool { return true }, yield) {
				return
			}
		}
		if by != ledger.ByParameter {
			return
		}
		const requests = "select e.name, t.subid, iif(t.subid = '', t.id, null), t.query, t.body from received t " +
			"join endpoints e on e.id = t.endpoint where (?1 = '' or e.name = ?1) and (query is not null or body is not null)"
		eachErasable(ctx, s, requests, []any{what.Endpoint}, what.In, yield)
	}
}

// eachErasable yields what a query finds, if one of the texts in its last two columns passes. It reports whether to go
// on.
func eachErasable(
	ctx context.Context, s *Store, query string, args []any, in func(string) bool,
	yield func(ledger.Erasable, error) bool,
) bool {
	type found struct {
		ledger.Erasable
		passes bool
	}
	for row, err := range rows(ctx, s, query, args, func(r *row) (found, error) {
		endpoint, subid := r.text(), r.text()
		f := found{Erasable: ledger.Erasable{Key: ledger.KeyOf(endpoint, subid)}}
		f.Received = r.uuid()
		query, body := r.text(), r.text()
		f.passes = in(query) || in(body)
		return f, r.err
	}) {
		if (err != nil || row.passes) && (!yield(row.Erasable, err) || err != nil) {
			return false
		}
	}
	return true
}

// What belongs to a click, ?1 its endpoint and ?2 its subid, table by table. History has no index by subid.
const ofClick = "endpoint = ?1 and subid = ?2"

const ofHistory = "id in (select id from conversions where " + ofClick + ")"

// eraseOfClick are what is erased of each table. Amounts, types, ids and times stay.
var eraseOfClick = []string{
	"update clicks set ip = null, user_agent = null, params = null, visitor_fields = null where " + ofClick,
	"update conversion_history set params = null, sender = null, source = null where " + ofHistory,
	"update conversions set params = null, sender = null, source = null where " + ofClick,
	eraseReceived + ofClick,
	"update held set intent = json_remove(intent, '$.params', '$.from', '$.received_ip') where " + ofClick,
	`update outbox set ip = null, attempts = null, conversion = json_remove(conversion, '$.params', '$.from', '$.source'),
		click = json_remove(click, '$.params', '$.visitor_fields', '$.ip', '$.user_agent') where ` + ofClick,
}

// A row without a method is one that was erased: it cannot be judged again.
const eraseReceived = "update received set ip = null, method = null, content_type = null, query = null, body = null, " +
	"subid_from = null, note = null where "

const eraseOperationRow = "update operation_rows set input = null where operation = ?1 and number = ?2"

// countOfClick counts by the endpoint's name.
var countOfClick = strings.ReplaceAll(`select
	(select count(*) from clicks where `+ofClick+`),
	(select count(*) from conversions where `+ofClick+`) + (select count(*) from conversion_history where `+ofHistory+`),
	(select count(*) from received where `+ofClick+`),
	(select count(*) from held where `+ofClick+`),
	(select count(*) from outbox where `+ofClick+`), 0`, "?1", "(select id from endpoints where name = ?1)")

// CountErasable implements [ledger.Erasures].
func (s *Store) CountErasable(ctx context.Context, of ledger.Erasable) (erasure ledger.Erasure, err error) {
	query := "select 0, 0, 0, 0, 0, (select count(*) from operation_rows where operation = ?1 and number = ?2)"
	args := []any{of.Operation[:], of.Number}
	switch {
	case of.SubID != "":
		query, args = countOfClick, []any{of.Endpoint, of.SubID}
	case of.Received != uuid.Nil:
		query, args = "select 0, 0, (select count(*) from received where id = ?1), 0, 0, 0", []any{of.Received[:]}
	}
	for counted, err := range rows(ctx, s, query, args, func(r *row) (ledger.Erasure, error) {
		counts := ledger.Erasure{
			Clicks: r.integer(), Conversions: r.integer(), Received: r.integer(), Held: r.integer(), Outbox: r.integer(),
			Operations: r.integer(),
		}
		return counts, r.err
	}) {
		return counted, err
	}
	return ledger.Erasure{}, nil
}

// erase erases, and ends the leases of S2S postbacks that are being sent: what is known of those attempts is not
// written any more.
func (w *writer) erase(of ledger.Erasable) error {
	switch {
	case of.Operation != uuid.Nil:
		_, err := w.once(eraseOperationRow, of.Operation[:], int64(of.Number))
		return err
	case of.SubID == "":
		_, err := w.once(eraseReceived+"id = ?1", of.Received[:])
		return err
	}
	endpoint, err := w.endpoint(of.Endpoint)
	if err != nil {
		return err
	}
	for _, statement := range eraseOfClick {
		if _, err := w.once(statement, endpoint, of.SubID); err != nil {
			return err
		}
	}
	sent, err := prepare(w.conn, "select id from outbox where "+ofClick)
	if err != nil {
		return classify(err)
	}
	err = sent.query(func(r *row) error {
		delete(w.leases, r.uuid())
		return r.err
	}, endpoint, of.SubID)
	return errors.Join(err, sent.prepared.Close())
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
