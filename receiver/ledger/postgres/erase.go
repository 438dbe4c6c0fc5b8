package postgres

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// What selects the rows of each table, by the kind of the selection. $2 is the value, $3 the parameter's name.
const paramIs = " ->> $3::text = $2"

// listHas is paramIs for parameters that are a list of names and values in a document.
const listHas = "exists (select 1 from json_array_elements(%s -> 'params') p " +
	"where p ->> 'name' = $3::text and p ->> 'value' = $2)"

var selectErasable = map[string]string{
	ledger.BySubID: erasableOf(
		"clicks", "subid = $2", "conversions", "subid = $2", "conversion_history", "subid = $2", "held", "subid = $2",
		"outbox", "subid = $2", "received", "subid = $2"),
	ledger.ByIP: erasableOf(
		"clicks", "ip = $2", "held", "intent ->> 'received_ip' = $2", "outbox", "ip = $2 or click ->> 'ip' = $2",
		"received", "ip = $2"),
	ledger.ByParameter: erasableOf(
		"clicks", "params"+paramIs, "conversions", "params"+paramIs, "conversion_history", "params"+paramIs,
		"held", fmt.Sprintf(listHas, "intent"),
		"outbox", fmt.Sprintf(listHas, "conversion")+" or "+fmt.Sprintf(listHas, "click")),
}

// erasableOf makes one query of tables and their conditions, for one bucket and the endpoint $4, ” = all.
func erasableOf(tables ...string) string {
	var parts []string
	for i := 0; i < len(tables); i += 2 {
		id := "null::uuid"
		if tables[i] == "received" {
			id = "case when subid = '' then id end"
		}
		parts = append(parts, "select endpoint, subid, "+id+" as id from "+tables[i]+
			" where bucket = $1 and $3::text is not null and ($4::text = '' or endpoint = $4) and ("+tables[i+1]+")")
	}
	return strings.Join(parts, " union all ")
}

// Queries and bodies are looked into row by row: the names in them are the senders'.
const selectRequests = "select endpoint, subid, case when subid = '' then id end as id, query, body from received " +
	"where bucket = $1 and ($2::text = '' or endpoint = $2) and (query is not null or body is not null)"

// erasableRow is one that a query has found.
type erasableRow struct {
	Endpoint, SubID string
	ID              uuid.UUID
	Query, Body     string
}

var (
	erasableColumns = []table.Column[erasableRow]{
		table.Of("endpoint", table.Text, func(r *erasableRow) *string { return &r.Endpoint }),
		table.Of("subid", table.Text, func(r *erasableRow) *string { return &r.SubID }),
		table.Of("id", table.UUID, func(r *erasableRow) *uuid.UUID { return &r.ID }).Null(),
	}
	requestColumns = append(erasableColumns[:len(erasableColumns):len(erasableColumns)],
		table.Of("query", table.Bytes, func(r *erasableRow) *string { return &r.Query }).Null(),
		table.Of("body", table.Bytes, func(r *erasableRow) *string { return &r.Body }).Null())
)

func (r *erasableRow) erasable() ledger.Erasable {
	return ledger.Erasable{Key: ledger.KeyOf(r.Endpoint, r.SubID), Received: r.ID}
}

// allBuckets is how many there are.
const allBuckets = 256

// Erasable implements [ledger.Erasures], bucket by bucket: no statement reads a whole table.
func (s *Store) Erasable(ctx context.Context, what ledger.Selection) iter.Seq2[ledger.Erasable, error] {
	return func(yield func(ledger.Erasable, error) bool) {
		by, err := what.By()
		if err != nil {
			yield(ledger.Erasable{}, err)
			return
		}
		value, parameter := what.Terms()
		for bucket := range allBuckets {
			var found []ledger.Erasable
			err := readRows(ctx, s, erasableColumns, func(r *erasableRow) error {
				found = append(found, r.erasable())
				return nil
			}, selectErasable[by], int16(bucket), value, parameter, what.Endpoint)
			if err == nil && by == ledger.ByParameter {
				err = readRows(ctx, s, requestColumns, func(r *erasableRow) error {
					if what.In(r.Query) || what.In(r.Body) {
						found = append(found, r.erasable())
					}
					return nil
				}, selectRequests, int16(bucket), what.Endpoint)
			}
			if err != nil {
				yield(ledger.Erasable{}, err)
				return
			}
			for _, one := range found {
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}

// ofClick is what belongs to a click.
const ofClick = "bucket = $1 and endpoint = $2 and subid = $3"

// eraseOfClick are what is erased of each table. Amounts, types, ids and times stay. An S2S postback that is being sent
// loses its lease: what is known of that attempt is not written any more.
var eraseOfClick = []string{
	"update clicks set ip = null, user_agent = null, params = null, visitor_fields = null where " + ofClick,
	"update conversions set params = null, sender = null, source = null where " + ofClick,
	"update conversion_history set params = null, sender = null, source = null where " + ofClick,
	eraseReceived + ofClick,
	"update held set intent = (intent::jsonb - 'params' - 'from' - 'received_ip')::json where " + ofClick,
	`update outbox set ip = null, attempts = null, holder = '', leased_until = null,
		conversion = (conversion::jsonb - 'params' - 'from' - 'source')::json,
		click = (click::jsonb - 'params' - 'visitor_fields' - 'ip' - 'user_agent')::json where ` + ofClick,
}

// A row without a method is one that was erased: it cannot be judged again.
const eraseReceived = "update received set ip = null, method = null, content_type = null, query = null, body = null, " +
	"subid_from = null, note = null where "

const eraseOperationRow = "update operation_rows set input = null where operation = $1 and number = $2"

// queueErasures erases.
func queueErasures(b *batch, changes *ledger.Changes) {
	for _, of := range changes.Erase {
		switch {
		case of.Operation != uuid.Nil:
			b.Queue(eraseOperationRow, uuidOf(of.Operation), of.Number)
		case of.SubID == "":
			b.Queue(eraseReceived+ofClick+" and id = $4", int16(of.Bucket), of.Endpoint, "", uuidOf(of.Received))
		default:
			for _, statement := range eraseOfClick {
				b.Queue(statement, int16(of.Bucket), of.Endpoint, of.SubID)
			}
		}
	}
}

var erasureColumns = []table.Column[ledger.Erasure]{
	table.Of("clicks", table.BigInteger, func(e *ledger.Erasure) *int64 { return &e.Clicks }),
	table.Of("conversions", table.BigInteger, func(e *ledger.Erasure) *int64 { return &e.Conversions }),
	table.Of("received", table.BigInteger, func(e *ledger.Erasure) *int64 { return &e.Received }),
	table.Of("held", table.BigInteger, func(e *ledger.Erasure) *int64 { return &e.Held }),
	table.Of("outbox", table.BigInteger, func(e *ledger.Erasure) *int64 { return &e.Outbox }),
	table.Of("operations", table.BigInteger, func(e *ledger.Erasure) *int64 { return &e.Operations }),
}

const countOfClick = `select
	(select count(*) from clicks where present and ` + ofClick + `),
	(select count(*) from conversions where ` + ofClick + `) +
		(select count(*) from conversion_history where ` + ofClick + `),
	(select count(*) from received where ` + ofClick + `),
	(select count(*) from held where ` + ofClick + `),
	(select count(*) from outbox where ` + ofClick + `), 0::bigint`

const (
	countReceived = "select 0::bigint, 0::bigint, count(*), 0::bigint, 0::bigint, 0::bigint from received " +
		"where " + ofClick + " and id = $4"
	countOperationRow = "select 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, count(*) from operation_rows " +
		"where operation = $1 and number = $2"
)

// CountErasable implements [ledger.Erasures].
func (s *Store) CountErasable(ctx context.Context, of ledger.Erasable) (counts ledger.Erasure, err error) {
	sql, args := countOfClick, []any{int16(of.Bucket), of.Endpoint, of.SubID}
	switch {
	case of.Operation != uuid.Nil:
		sql, args = countOperationRow, []any{uuidOf(of.Operation), of.Number}
	case of.SubID == "":
		sql, args = countReceived, append(args, uuidOf(of.Received))
	}
	err = readRows(ctx, s, erasureColumns, func(e *ledger.Erasure) error {
		counts = *e
		return nil
	}, sql, args...)
	return counts, err
}

// Forget implements [ledger.Erasures]. Former versions of rows are the database's: no query and no dump has them, and
// its vacuum removes them.
func (s *Store) Forget(context.Context) error { return nil }
