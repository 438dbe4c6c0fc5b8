package chaos

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// number of the request whose row of the received log this is.
const number = "substring(convert_from(query, 'UTF8') from '&n=([0-9]+)$')::bigint"

// versionsSQL are all versions of all conversions, with the number of the request that made each; 0 if there is none.
const versionsSQL = "select v.endpoint, v.subid || '/' || v.tid, v.version, v.payout::bigint, coalesce(" + number + `, 0)
	from (select * from conversions union all select * from conversion_history) v
	left join received r on (r.bucket, r.endpoint, r.subid, r.id) = (v.bucket, v.endpoint, v.subid, v.request_id)
	order by 1, 2, 3`

// audit compares what was acknowledged with what is in the database, which it reads by itself. It returns how many rows
// the received log has.
func (f *field) audit(a *acks) (rows int) {
	f.Helper()
	conn, err := pgx.Connect(f.Context(), f.dsn)
	must(f.T, err)
	defer func() { _ = conn.Close(context.WithoutCancel(f.Context())) }()
	recorded := f.auditVersions(conn)
	logged := f.auditLog(conn)

	acknowledged, lost, unlogged := map[string]int{}, 0, 0
	for n, outcome := range a.outcomes {
		acknowledged[outcome]++
		if recorded[n] == 0 {
			lost++
		}
		if logged[n] == 0 {
			unlogged++
		}
	}
	for outcome := range acknowledged {
		if outcome != "recorded" && outcome != "spooled" {
			f.Errorf("a postback was answered with 200 and %q", outcome)
		}
	}
	twice := 0
	for n, times := range recorded {
		if times > 1 || logged[n] != 1 {
			twice++
		}
	}
	if lost+unlogged+twice > 0 || len(recorded) != len(logged) {
		f.Errorf("%d acknowledged and not recorded, %d acknowledged and not in the received log, %d recorded or logged twice",
			lost, unlogged, twice)
	}
	if acknowledged["recorded"] < 500 || acknowledged["spooled"] < 100 {
		f.Errorf("acknowledged %v: too few to prove anything", acknowledged)
	}
	f.Logf("answers: %v", a.answers)
	f.Logf("sent up to %d, acknowledged %v, recorded %d (those without an answer included), lost %d, twice %d",
		a.sent, acknowledged, len(recorded), lost, twice)
	for _, times := range logged {
		rows += times
	}
	return rows
}

// auditVersions returns how often each request was recorded, and checks that versions have no gap, that what has a slot
// of its own has one version, and that payouts that add up have grown by 1 with each.
func (f *field) auditVersions(conn *pgx.Conn) map[int]int {
	f.Helper()
	rows, err := conn.Query(f.Context(), versionsSQL)
	must(f.T, err)
	var endpoint, slot, last string
	var version, payout, n, expected int
	recorded := map[int]int{}
	_, err = pgx.ForEachRow(rows, []any{&endpoint, &slot, &version, &payout, &n}, func() error {
		recorded[n]++
		if key := endpoint + " " + slot; key != last {
			last, expected = key, 0
		}
		expected++
		if version != expected || payout != version || endpoint == "default/test" && version != 1 {
			f.Errorf("%s %s has version %d with payout %d, want version %d", endpoint, slot, version, payout, expected)
		}
		return nil
	})
	must(f.T, err)
	return recorded
}

// auditLog returns how often each request is in the received log.
func (f *field) auditLog(conn *pgx.Conn) map[int]int {
	f.Helper()
	rows, err := conn.Query(f.Context(), "select "+number+", outcome from received")
	must(f.T, err)
	var n int
	var outcome string
	logged := map[int]int{}
	_, err = pgx.ForEachRow(rows, []any{&n, &outcome}, func() error {
		logged[n]++
		if outcome != "recorded" {
			f.Errorf("request %d is %s in the received log", n, outcome)
		}
		return nil
	})
	must(f.T, err)
	return logged
}
