// Package ledger owns the durable book of clicks, conversions and received postbacks: lanes that gather what arrives
// while a commit is under way into the next one, and the interface that store engines implement. The decisions are
// package conversion's; the engines live in ledger/sqlite and ledger/postgres, and ledger/ledgertest holds what each
// must pass. It imports no engine and no net/http.
package ledger

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/report"
)

// Key names one click and everything that hangs on it: the unit of locking and of order.
type Key struct {
	// Bucket spreads keys over shards: see [KeyOf].
	Bucket   uint8
	Endpoint string
	SubID    string
}

// KeyOf returns the key of an endpoint's click. Bucket = fnv1a32(endpoint, 0x1f, subid) & 255, forever.
func KeyOf(endpoint, subid string) Key {
	const offset, prime = 2166136261, 16777619
	h := uint32(offset)
	for _, part := range [...]string{endpoint, "\x1f", subid} {
		for i := range len(part) {
			h = (h ^ uint32(part[i])) * prime
		}
	}
	return Key{Bucket: uint8(h & 0xff), Endpoint: endpoint, SubID: subid}
}

// Slot names one conversion.
type Slot struct {
	Key
	conversion.SlotKey
}

// Compare orders keys by bucket, endpoint and subid: the order of locking.
func (k Key) Compare(other Key) int {
	if c := cmp.Compare(k.Bucket, other.Bucket); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(k.Endpoint, other.Endpoint), cmp.Compare(k.SubID, other.SubID))
}

// Want names what a batch must read, and lock, before it can decide.
type Want struct {
	// Keys, sorted by bucket, endpoint, subid, without repeats: the clicks to read. Engines lock in this order.
	Keys []Key
	// Slots whose conversions to read, without repeats; each one's key is among Keys.
	Slots []Slot
	// Held are the keys whose held postbacks, and those postbacks' slots, are to be read too.
	Held []Key
	// Receipts are postbacks that may have been committed before: their rows of the received log, if there are any.
	Receipts []Receipt
	// Signed are signatures that count once: the rows of the received log that have them. Each one's key is among Keys.
	Signed []Signed
	// Create are the keys that must be lockable even when they have no click, because a conversion may be recorded
	// without one. Engines with row locks put a placeholder there, which reads as no click.
	Create []Key
}

// Receipt identifies one row of the received log.
type Receipt struct {
	Key
	ID uuid.UUID
	At time.Time
}

// Signed is the signature of a postback that counts once, see [Received].
type Signed struct {
	Key
	Signature uuid.UUID
}

// Book is what a batch read. Absent keys mean there is no such thing.
type Book struct {
	Clicks      map[Key]*conversion.Click
	Conversions map[Slot]*conversion.Conversion
	Held        map[Key][]HeldPostback
	Receipts    map[uuid.UUID]Received
	// Signed are the rows of the received log by signature; of several, one that was not ignored.
	Signed map[uuid.UUID]Received
}

// AddSigned adds a row that has a signature.
func (b *Book) AddSigned(row Received) {
	if before, some := b.Signed[row.Signature]; !some || before.Outcome == conversion.Ignored {
		b.Signed[row.Signature] = row
	}
}

// Changes is what a batch writes: all of it or nothing.
type Changes struct {
	// NewClicks are absent in the book, UpdatedClicks are there. An engine that finds a new click stored after all, by
	// somebody it could not lock out, overwrites nothing and answers ErrConflict.
	NewClicks, UpdatedClicks []*conversion.Click
	// Conversions are the final versions of the slots that changed, each slot once.
	Conversions []*conversion.Conversion
	// History are the versions that are no longer current.
	History []*conversion.Conversion
	// Forwards are the S2S postbacks due.
	Forwards []Forward
	// Received are new rows of the received log; Settled gives the final outcome, reason, warnings, conversion and test of
	// rows that were held, which are found by ID and At; other fields stay as they are.
	Received, Settled []Received
	// Hold and Release add and remove held postbacks.
	Hold, Release []HeldPostback
	// Expired are clicks to delete, after all else was written, except those that have a conversion.
	Expired []Key
	// Tests are test clicks to delete, after all else was written, with the test conversions of each, their versions and
	// S2S postbacks.
	Tests []Key
	// Erase is what personal data is erased from, after all else was written.
	Erase []Erasable
	// Reports are what the batch changes in clicks and conversions, for the cells of reports.
	Reports []ReportChanges
	// HaveRate removes and AwaitRate adds what waits for a rate, in this order; either may name what is so already.
	AwaitRate, HaveRate []PendingRate
}

// HeldPostback waits for its click.
type HeldPostback struct {
	Intent *conversion.Intent
	Until  time.Time
}

// PendingRate says that a conversion, or a click's cost, waits for the rate of Currency to ToCurrency.
type PendingRate struct {
	Key
	// Click: the click's cost waits. Otherwise the conversion of Slot does.
	Click                bool
	Slot                 conversion.SlotKey
	Currency, ToCurrency string
}

// OldClick is a click that need not be kept any longer, at its place in the store's order.
type OldClick struct {
	Key
	Time time.Time
	// Seq is its place in a store that numbers its clicks.
	Seq int64
	// Converted: the click has a conversion, with which it stays.
	Converted bool
}

// Forward is an S2S postback due: a row of the outbox.
type Forward struct {
	ID uuid.UUID
	// Rule is the name of the endpoint's forward.
	Rule string
	// Host is where the rule sends to, host:port, at the time of writing.
	Host string
	// Conversion is the version that is to be reported, Click its click at that moment; nil for an orphan.
	Conversion *conversion.Conversion
	Click      *conversion.Click
	// IP is where the postback came from.
	IP  string
	Due time.Time
}

// Kind says what a row of the received log comes from.
type Kind string

// The kinds. Rows of the kinds rate and hold were not received: time has passed, and they say what that has changed.
const (
	// KindPostback: a network sent it, or somebody who has the endpoint's key. KindClient: a page did, with a client key.
	KindPostback Kind = "postback"
	KindClient   Kind = "client"
	// KindImport, KindManual and KindReplay: an operation of a person made it.
	KindImport Kind = "import"
	KindManual Kind = "manual"
	KindReplay Kind = "replay"
	// KindRate: a rate has come for an amount that waited for one.
	KindRate Kind = "rate"
	// KindHold: a held postback was settled.
	KindHold Kind = "hold"
)

// KindOf returns the kind of the rows that a writer's postbacks make.
func KindOf(w conversion.Writer) Kind {
	switch w {
	case conversion.WriterPage:
		return KindClient
	case conversion.WriterImport:
		return KindImport
	case conversion.WriterPerson:
		return KindManual
	case conversion.WriterReplay:
		return KindReplay
	}
	return KindPostback
}

// Received is a row of the received log (docs/semantics.md §3 step 3), which is also the journal: it has one row for
// each version of each conversion, no matter who made it.
type Received struct {
	// ID is the X-Request-Id, a UUIDv7.
	ID uuid.UUID
	// Kind says what the row comes from; empty = as the intent's writer says.
	Kind     Kind
	Endpoint string
	// KeyID is the random id of the key that authenticated the postback.
	KeyID string
	At    time.Time
	// Stamp as in [conversion.Intent].
	Stamp int64
	IP    string
	// Method and ContentType are the request's; Query its raw query, bounded; Body its raw body, bounded and possibly cut.
	Method, ContentType, Query, Body string
	// SubIDFrom says where the subid came from; empty where that is not known.
	SubIDFrom string
	// SubID, TID and Type as far as the postback was understood. Status is the network's word, at most [MaxStatus] bytes.
	SubID, TID, Type, Status string
	Outcome                  conversion.Outcome
	Reason                   conversion.Reason
	Warnings                 []conversion.Warning
	// Signature names the signature of a request that counts once, however often it comes: another one is a duplicate
	// unless this one was ignored. The zero UUID if there is none, or if it has not counted.
	Signature uuid.UUID
	// Test: the click is one, as far as it was looked at.
	Test bool
	// Conversion is the id of the conversion that was recorded or repeated; the zero UUID if none. Version is the one that
	// this row made, 0 if it made none: of all rows exactly one has it.
	Conversion uuid.UUID
	Version    int
	// Actor made the change, Note says why; Operation is what it belongs to. Empty unless a person did.
	Actor, Note string
	Operation   uuid.UUID
	// Origin is the row that this one settles or replays; the zero UUID if none.
	Origin uuid.UUID
}

// MaxStatus bounds the network's word in the received log, in bytes.
const MaxStatus = 64

// Span is the part of a list that is wanted, and its order, where lists are in the order of ids. The zero value is all,
// the newest first.
type Span struct {
	// Before selects what has a lesser id, After what has a greater one: the cursors of both orders.
	Before, After uuid.UUID
	// Oldest: the oldest come first.
	Oldest bool
}

// From returns what of the span comes behind a row; all of it for the zero UUID.
func (s Span) From(id uuid.UUID) Span {
	switch {
	case id == uuid.Nil:
	case s.Oldest:
		s.After = id
	default:
		s.Before = id
	}
	return s
}

// ConversionFilter selects conversions; zero fields select all.
type ConversionFilter struct {
	Endpoint, SubID, Type string
	// TID selects the slots of that transaction id; nil selects all, a pointer to "" those without one.
	TID *string
	// ID selects one conversion.
	ID uuid.UUID
	// From (inclusive) and To (exclusive) bound CreatedAt.
	From, To time.Time
	Span
	// Limit of rows; 0 = no limit.
	Limit int
}

// ReceivedFilter selects rows of the received log; zero fields select all.
type ReceivedFilter struct {
	Endpoint, SubID, Type string
	TID                   *string
	// ID selects one row.
	ID      uuid.UUID
	Outcome conversion.Outcome
	Reason  conversion.Reason
	// From (inclusive) and To (exclusive) bound At.
	From, To time.Time
	Span
	Limit int
}

// ClickOrder is an order of clicks.
type ClickOrder int

// The orders. Clicks of one moment are in the order of their keys, or in its reverse.
const (
	// ClicksByKey is the store's own order, by which a page of one endpoint is found fastest.
	ClicksByKey ClickOrder = iota
	ClicksOldestFirst
	ClicksNewestFirst
)

// ClickFilter selects clicks; zero fields select all.
type ClickFilter struct {
	Endpoint string
	Order    ClickOrder
	// After selects what comes after that click in the order: the cursor. Its Endpoint is the filter's, if that has one.
	// The zero Key selects from the start. AfterTime is that click's time; the order of keys does without.
	After     Key
	AfterTime time.Time
	Limit     int
}

// Errors that callers tell apart.
var (
	// ErrUnavailable means that the store could not be reached, or stopped answering, and trying again may help.
	// Nothing is known about whether the batch was committed.
	ErrUnavailable = errors.New("store unavailable")
	// ErrConflict means that the engine rolled the batch back because of a concurrent one.
	ErrConflict = errors.New("concurrent batch")
	// ErrPoisoned means that the store refuses the data itself: trying again does not help.
	ErrPoisoned = errors.New("store refuses the data")
	// ErrSchema means that the store's schema is not the one this program works with.
	ErrSchema = errors.New("store schema")
	// ErrCorrupt means that the store's files are damaged. Trying again does not help: a backup has to be restored.
	ErrCorrupt = errors.New("store is damaged")
	// ErrNotFound means there is no such row.
	ErrNotFound = errors.New("not found")
)

// LeaseSlack is longer than clocks differ and leases last.
const LeaseSlack = time.Hour

// Store is a durable engine, by its roles. All methods may be called concurrently. Errors are, or wrap, the errors
// above where a caller decides by them, and never contain a DSN.
type Store interface {
	Transactor
	Reader
	Journal
	Cells
	Outbox
	Upkeep
	Rates
	Operations
	Erasures

	// Ping reports whether the store can be written now.
	Ping(ctx context.Context) error
	// Durability reports what a commit survives now, and in one line why: none where it cannot be otherwise.
	Durability(ctx context.Context) (level Durability, detail string, err error)
	// Close waits for nothing: callers finish their batches first.
	Close() error
}

// Transactor commits batches.
type Transactor interface {
	// Transact runs one batch: reads and locks what want names, calls decide exactly once, writes what it returns, and
	// returns nil only when that is durable. decide must not block. After an error nothing is known of the batch except
	// as the error says.
	Transact(ctx context.Context, want Want, decide func(*Book) *Changes) error
}

// Reader lists what is recorded. It sees what is committed.
type Reader interface {
	// Conversions yields matching conversions, by id.
	Conversions(ctx context.Context, f ConversionFilter) iter.Seq2[*conversion.Conversion, error]
	// History yields the versions of a conversion, oldest first, the current one last. ErrNotFound if there is none.
	History(ctx context.Context, id uuid.UUID) ([]*conversion.Conversion, error)
	// Received yields matching rows of the received log, by id.
	Received(ctx context.Context, f ReceivedFilter) iter.Seq2[Received, error]
	// Facts yields the sums of the clicks and conversions that a report's plan selects, in no order.
	Facts(ctx context.Context, p report.Plan) iter.Seq2[report.Fact, error]
	// Click returns a click, nil if there is none. It waits for no lock.
	Click(ctx context.Context, endpoint, subid string) (*conversion.Click, error)
	// Clicks yields matching clicks. The times of one endpoint's clicks are in no index of their own: its clicks are
	// looked for among those of all.
	Clicks(ctx context.Context, f ClickFilter) iter.Seq2[*conversion.Click, error]
}

// Journal hands on the received log in the order in which it was committed.
type Journal interface {
	// ReadJournal returns the rows that were committed after the cursor, about limit of them, and the cursor of the next
	// page. Nothing that is committed later comes before that cursor. Versions of one conversion come in their order, over
	// all pages. There are no more rows for now when it returns none.
	ReadJournal(ctx context.Context, after Cursor, limit int) (rows []Received, next Cursor, err error)
	// JournalEnd returns the cursor after which nothing is to be read now.
	JournalEnd(ctx context.Context) (Cursor, error)
}

// Cursor is a place in a store's journal; 0 is its beginning. It means nothing to another store.
type Cursor int64

// Cells are the sums of clicks and conversions by half hours and campaigns that most reports are made of. Batches leave
// behind what they change, see [ReportChanges], and cells take it in a moment later: each change once, since it is
// deleted by the transaction that adds it.
type Cells interface {
	// FoldReports adds what some batches have left behind to the cells, and returns how many rows of it there were: none
	// when there are no more.
	FoldReports(ctx context.Context) (int, error)
	// ReportsBehind returns when the oldest change was made that is not in the cells; zero if all are.
	ReportsBehind(ctx context.Context) (time.Time, error)
	// CellFacts is [Reader.Facts] for plans that cells can serve.
	CellFacts(ctx context.Context, p report.Plan) iter.Seq2[report.Fact, error]
	// RebuildReports makes the cells of an endpoint, empty = of all, anew from the clicks and conversions that there are.
	RebuildReports(ctx context.Context, endpoint string) error
}

// ReportChanges are what one batch has changed in the clicks and conversions of one endpoint.
type ReportChanges struct {
	// Key has the bucket of one of the changes, so that the row is written where they are.
	Key
	ID uuid.UUID
	At time.Time
	// Changes are encoded by [report.Changes].
	Changes string
}

// Upkeep finds what is to be done because time has passed.
type Upkeep interface {
	// ExpiredHolds returns up to limit keys that have a held postback whose time is up at now.
	ExpiredHolds(ctx context.Context, now time.Time, limit int) ([]Key, error)
	// PendingRates returns up to limit entries that wait for a rate, after the given
	// entry in the store's own order (nil = from the start).
	PendingRates(ctx context.Context, after *PendingRate, limit int) ([]PendingRate, error)
	// Prepare makes room for what is received today and in the days to come, where an engine keeps days apart. It is to be
	// called from time to time. Rows of a day for which it was not are kept all the same.
	Prepare(ctx context.Context, now time.Time) error
	// Prune deletes up to limit rows of the received log and of the history older than the given times; zero times keep
	// all. An engine that keeps days apart deletes a day of the received log as a whole, which does not count, when all of
	// it is old.
	Prune(ctx context.Context, receivedBefore, historyBefore time.Time, limit int) (int, error)
	// OldClicks returns up to limit clicks that happened before the given time, in the store's own order, after the given
	// one (nil = from the start). Fewer than limit mean that there is no further one for now.
	OldClicks(ctx context.Context, before time.Time, after *OldClick, limit int) ([]OldClick, error)
	// OldTests returns up to limit test clicks that happened before the given time.
	OldTests(ctx context.Context, before time.Time, limit int) ([]Key, error)
	// Lease makes holder the only one to hold the named lease until until. It reports false when another holds it at now,
	// unless that one holds it until [LeaseSlack] after until: then a clock was ahead.
	Lease(ctx context.Context, name, holder string, now, until time.Time) (bool, error)
}

// Rates keeps exchange rates.
type Rates interface {
	// LoadRates returns the stored rate sets, by provider name.
	LoadRates(ctx context.Context) ([]money.Set, error)
	// SaveRates replaces the stored set of set.Source.
	SaveRates(ctx context.Context, set money.Set) error
}

// Durability is what a commit of a store survives.
type Durability string

// The levels.
const (
	// DurabilityNone: a crash of the store's machine loses data.
	DurabilityNone Durability = "none"
	// DurabilityLocal: a commit is on the disk of the store's own machine; a failover may lose it.
	DurabilityLocal Durability = "local"
	// DurabilitySync: a commit is on a standby's disk as well.
	DurabilitySync Durability = "sync"
)
