package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// claimSettings: a lease that a crash of the server undoes costs a postback that is sent twice at worst. Nothing waits
// for the disk because of it.
const claimSettings = "select set_config('synchronous_commit', 'off', true)"

// claimRow is a row that is due, and what is done with it.
type claimRow struct {
	ledger.Receipt
	Host    string
	Blocked bool
	Holder  string
	Until   time.Time
	Now     time.Time
}

// queueRow names what leaves the outbox in one order.
type queueRow struct {
	ledger.Slot
	Rule string
	Now  time.Time
}

// sentRow is a row that its holder has sent, or tried to.
type sentRow struct {
	ledger.OutboxRow
	Holder string
}

var (
	claimKey   = table.Within(func(r *claimRow) *ledger.Receipt { return &r.Receipt }, receiptColumns)
	dueColumns = append(slices.Clone(claimKey),
		table.Of("host", table.Text, func(r *claimRow) *string { return &r.Host }),
		table.Of("blocked", table.Boolean, func(r *claimRow) *bool { return &r.Blocked }))
	leaseColumns = append(slices.Clone(claimKey),
		table.Of("holder", table.Text, func(r *claimRow) *string { return &r.Holder }),
		table.Of("leased_until", table.Time, func(r *claimRow) *time.Time { return &r.Until }))
	postponeColumns = append(slices.Clone(claimKey),
		table.Of("now", table.Time, func(r *claimRow) *time.Time { return &r.Now }))
	queueColumns = append(table.Within(func(r *queueRow) *ledger.Slot { return &r.Slot }, slotColumns),
		table.Of("rule", table.Text, func(r *queueRow) *string { return &r.Rule }),
		table.Of("now", table.Time, func(r *queueRow) *time.Time { return &r.Now }))
	sentColumns = append(table.Within(func(r *sentRow) *ledger.OutboxRow { return &r.OutboxRow }, table.Outbox.Pick(
		"endpoint", "subid", "id", "host", "state", "reason", "due", "ended_at", "tries", "attempts")),
		table.Of("holder", table.Text, func(r *sentRow) *string { return &r.Holder }))
)

// sameQueue is the condition for the waiting rows p of t's queue.
const sameQueue = `p.bucket = t.bucket and p.endpoint = t.endpoint and p.subid = t.subid and p.tid = t.tid
	and p.slot_type = t.slot_type and p.rule = t.rule and p.state = 'waiting'`

const olderExists = "exists (select 1 from outbox p where " + sameQueue + " and p.version < t.version)"

// readDue locks up to so many rows of each host that are due and that nobody has. %s is a further condition.
const readDue = `select c.* from unnest($1::text[], $2::integer[]) w(host, room) cross join lateral (
	select t.endpoint, t.subid, t.id, t.host, ` + olderExists + ` from outbox t
	where t.state = 'waiting' and t.host = w.host and t.due <= $3 and (t.leased_until is null or t.leased_until <= $3)%s
	order by t.due limit w.room for update skip locked) c`

var (
	readDuePlain, readDueOfBucket = fmt.Sprintf(readDue, ""), fmt.Sprintf(readDue, " and t.bucket = $4")

	leaseRows = forRows(leaseColumns, idKey,
		"update outbox t set holder = u.holder, leased_until = u.leased_until from {rows} where {key} returning {t.outbox}")
	// postponeRows looks again whether there are older rows, in a statement of its own: a receiver that ends one of them
	// after this must wait for the row's lock, and takes it out again. It counts them, because "exists" would let the
	// planner begin with all that waits: without statistics it takes that for a few rows.
	postponeRows = forRows(postponeColumns, idKey, `update outbox t set postponed = true, due = (
		select greatest(max(o.due), u.now) + case when count(*) > 1 then `+interval(ledger.PostponeFor(2))+`
			else `+interval(ledger.PostponeFor(1))+` end
		from (select p.due from outbox p where `+sameQueue+` and p.version < t.version order by p.version limit 2) o)
		from {rows} where {key} and `+olderExists)
	finishRows = forRows(sentColumns, idKey, `update outbox t set
			state = u.state, reason = u.reason, ended_at = u.ended_at, tries = u.tries, attempts = u.attempts,
			host = u.host, due = u.due, postponed = false, holder = '', leased_until = null,
			conversion = case when u.state = 'delivered' then null else t.conversion end,
			click = case when u.state = 'delivered' then null else t.click end
		from {rows} where {key} and t.holder = u.holder`)
	// resumeRows also writes rows that are not put aside: a claim that is putting one aside right now holds its lock. The
	// limit keeps the planner from beginning with all that waits.
	resumeRows = forRows(queueColumns, slotKey+1, `update outbox x set postponed = false,
			due = case when x.postponed then n.now else x.due end
		from (select t.bucket, t.endpoint, t.subid, t.id, u.now from {rows} cross join lateral (
			select t.bucket, t.endpoint, t.subid, t.id from outbox t where {key} and t.state = 'waiting'
			order by t.version limit 1) t) n
		where x.bucket = n.bucket and x.endpoint = n.endpoint and x.subid = n.subid and x.id = n.id`)
)

func interval(d time.Duration) string { return fmt.Sprintf("interval '%d seconds'", int(d.Seconds())) }

// ClaimForwards implements [ledger.Outbox]: the first flight locks what is due, passing over what others have locked,
// the second leases or puts aside.
func (s *Store) ClaimForwards(ctx context.Context, claim ledger.OutboxClaim) (rows []ledger.OutboxRow,
	examined map[string]int, err error) {
	buckets, err := s.dueBuckets(ctx, claim)
	if err != nil {
		return nil, nil, err
	}
	err = s.withConn(ctx, func(conn *pgx.Conn) error {
		due, err := s.lockDue(ctx, conn, claim, buckets)
		if err != nil {
			return err
		}
		var lease, postpone []keyed[claimRow]
		lease, postpone, examined = allot(claim, due)
		b := s.newBatch()
		leaseRows.queue(b, lease, reading(table.Outbox.Columns, func(o *ledger.OutboxRow) error {
			rows = append(rows, *outboxKeyed(o))
			return nil
		}))
		postponeRows.queue(b, postpone, nil)
		queueCommit(b)
		return s.send(ctx, conn, b)
	})
	if err != nil {
		return nil, nil, err
	}
	return rows, examined, nil
}

// bucketRow is a bucket that something is due in.
type bucketRow struct{ Bucket int }

var bucketColumns = []table.Column[bucketRow]{
	table.Of("bucket", table.Integer, func(r *bucketRow) *int { return &r.Bucket }),
}

// maxBuckets bounds the statements of one claim.
const maxBuckets = 64

// dueBuckets returns the buckets to claim in, the longest due ones first; none where one statement can claim in all.
func (s *Store) dueBuckets(ctx context.Context, claim ledger.OutboxClaim) (buckets []int16, err error) {
	if !s.options.GroupByBucket {
		return nil, nil
	}
	hosts, _ := arraysOf(claim.Shares)
	err = readRows(ctx, s, bucketColumns, func(r *bucketRow) error {
		buckets = append(buckets, int16(r.Bucket)) //nolint:gosec // a smallint
		return nil
	}, "select bucket from outbox where state = 'waiting' and host = any($1) and due <= $2"+
		" and (leased_until is null or leased_until <= $2) group by bucket order by min(due), bucket limit $3", hosts,
		claim.Now, maxBuckets)
	return buckets, err
}

func arraysOf(shares []ledger.OutboxShare) (hosts []string, rooms []int32) {
	for _, share := range shares {
		hosts = append(hosts, share.Host)
		rooms = append(rooms, int32(share.Limit+ledger.OutboxMargin)) //nolint:gosec // a few hundred
	}
	return hosts, rooms
}

// lockDue is the first flight.
func (s *Store) lockDue(ctx context.Context, conn *pgx.Conn, claim ledger.OutboxClaim,
	buckets []int16) (due []*claimRow, err error) {
	b := s.newBatch()
	b.Queue(begin)
	b.Queue(settings, milliseconds(s.options.StatementTimeout), milliseconds(s.options.LockTimeout))
	b.Queue(claimSettings)
	take := reading(dueColumns, func(r *claimRow) error {
		r.Key = ledger.KeyOf(r.Endpoint, r.SubID)
		r.Holder, r.Until, r.Now = claim.Holder, claim.Until, claim.Now
		due = append(due, r)
		return nil
	})
	hosts, rooms := arraysOf(claim.Shares)
	if s.options.GroupByBucket {
		for _, bucket := range buckets {
			b.Queue(readDueOfBucket, hosts, rooms, claim.Now, bucket).Query(take)
		}
	} else {
		b.Queue(readDuePlain, hosts, rooms, claim.Now).Query(take)
	}
	return due, s.send(ctx, conn, b)
}

// allot parts what is due into rows to lease, rows to put aside, and those that there is no room for.
func allot(claim ledger.OutboxClaim, due []*claimRow) (lease, postpone []keyed[claimRow], examined map[string]int) {
	room, examined := map[string]int{}, map[string]int{}
	for _, share := range claim.Shares {
		room[share.Host] = share.Limit
	}
	for _, row := range due {
		switch {
		case row.Blocked:
			postpone = append(postpone, keyed[claimRow]{row.Key, row})
		case room[row.Host] > 0:
			room[row.Host]--
			lease = append(lease, keyed[claimRow]{row.Key, row})
		default:
			continue
		}
		examined[row.Host]++
	}
	sortRows(lease)
	sortRows(postpone)
	return lease, postpone, examined
}

// queueCommit ends a transaction. One that failed answers ROLLBACK, and no error.
func queueCommit(b *batch) {
	b.Queue("commit").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return fmt.Errorf("%w: commit answered %s", ledger.ErrConflict, tag)
		}
		return nil
	})
}

// FinishForwards implements [ledger.Outbox].
func (s *Store) FinishForwards(ctx context.Context, holder string, now time.Time, rows []ledger.OutboxRow) error {
	finished := make([]sentRow, len(rows))
	var ended []queueRow
	for i, o := range rows {
		finished[i] = sentRow{o, holder}
		if o.State != ledger.ForwardWaiting {
			ended = append(ended, queueRow{o.Slot, o.Rule, now})
		}
	}
	return s.withConn(ctx, func(conn *pgx.Conn) error {
		b := s.newBatch()
		b.Queue(begin)
		b.Queue(settings, milliseconds(s.options.StatementTimeout), milliseconds(s.options.LockTimeout))
		finishRows.queue(b, sortedValues(finished, func(r *sentRow) ledger.Key { return r.Slot.Key }), nil)
		resumeRows.queue(b, sortedValues(ended, func(r *queueRow) ledger.Key { return r.Key }), nil)
		queueCommit(b)
		return s.send(ctx, conn, b)
	})
}
