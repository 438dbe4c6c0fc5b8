package operation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/sqlite"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/operation"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// forgetful is a store that has lost power when the place of an operation is to be saved: what the ledger has committed
// is there, and that it was is not.
type forgetful struct {
	ledger.Store
	// saves are those that still succeed.
	saves int
}

var errKilled = errors.New("killed")

func (s *forgetful) SaveOperation(ctx context.Context, op ledger.Operation, rows []ledger.OperationRow) error {
	if s.saves--; s.saves < 0 {
		return errKilled
	}
	return s.Store.SaveOperation(ctx, op, rows)
}

// receiveIgnored has postbacks for seven clicks received before the clicks are known.
func receiveIgnored(t *testing.T, book *ledger.Ledger, endpoint string, rows int) {
	t.Helper()
	at := time.Now().UTC().Truncate(time.Microsecond)
	ids := ledger.NewIDs(func() time.Time { return at })
	for i := range rows {
		row := ledger.Received{
			ID: ids.Next(), Endpoint: endpoint, At: at, Stamp: at.UnixMicro() + int64(i), Method: "GET",
			Query: fmt.Sprintf("subid=c%d&status=sale&payout=10", i%7), SubID: fmt.Sprintf("c%d", i%7),
			Outcome: conversion.Ignored, Reason: conversion.ClickNotFound,
		}
		if _, err := book.Postback(t.Context(), ledger.Postback{Log: row}); err != nil {
			t.Fatal(err)
		}
	}
	var clicks []conversion.Click
	for i := range 7 {
		clicks = append(clicks, conversion.Click{Endpoint: endpoint, SubID: fmt.Sprintf("c%d", i), Time: at})
	}
	if _, err := book.AddClicks(t.Context(), clicks); err != nil {
		t.Fatal(err)
	}
}

// workOff has one operator after the other work until the operation has ended. Each of them is killed.
func workOff(t *testing.T, store ledger.Store, op ledger.Operation, next func() *operation.Operator) ledger.Operation {
	t.Helper()
	kills := 0
	for ; op.State == ledger.OperationRunning; kills++ {
		if kills > 20 {
			t.Fatalf("it does not end: %+v", op)
		}
		err := operation.Turn(t.Context(), next())
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if op, err = store.Operation(t.Context(), op.ID); err != nil {
			t.Fatal(err)
		}
	}
	if kills < 3 {
		t.Errorf("killed %d times only", kills)
	}
	return op
}

// payouts returns the sum of all conversions.
func payouts(t *testing.T, store ledger.Store) decimal.Decimal {
	t.Helper()
	sum := decimal.Zero
	for c, err := range store.Conversions(t.Context(), ledger.ConversionFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		sum = sum.Add(*c.Payout.Converted)
	}
	return sum
}

// bench is a store with a ledger and one endpoint, which sends S2S postbacks nowhere.
type bench struct {
	store ledger.Store
	book  *ledger.Ledger
	ep    *endpoint.Endpoint
	all   *endpoint.Snapshot
}

func newBench(t *testing.T) *bench {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	declared := receivertest.Endpoint()
	declared.Policies.Repeat = config.RepeatAdd
	for _, name := range []string{"one", "two"} {
		declared.Forwards = append(declared.Forwards, config.Forward{
			Name: name, URL: "http://source.example/" + name + "?c={subid}", Method: "GET",
			Types: []string{"sale"}, Resend: config.ResendOnAnyChange,
		})
	}
	snapshot, err := endpoint.Build(&config.Config{Fleet: receivertest.Fleet(), Endpoints: []config.Endpoint{declared}})
	if err != nil {
		t.Fatal(err)
	}
	book := ledger.New(store, ledger.Options{})
	t.Cleanup(func() { _ = book.Close(context.Background()) })
	return &bench{store: store, book: book, ep: snapshot.Endpoints()[0], all: snapshot}
}

func (b *bench) operator(of operation.Store) *operation.Operator {
	return operation.New(operation.Options{
		Store: of, Ledger: b.book, Endpoints: func() *endpoint.Snapshot { return b.all },
		Rates: func() *money.Table { return nil }, Resent: func([]string) {}, Holder: "a",
		Logger: slog.New(slog.DiscardHandler), Clock: time.Now,
	})
}

// killed asks for an operation and has one operator after the other killed that works on it. between is called after
// each.
func (b *bench) killed(
	t *testing.T, asked operation.Request, between func(),
) (op ledger.Operation, counts operation.Counts) {
	t.Helper()
	asked.Endpoint, asked.Note = b.ep.Name, "n"
	op, _, err := b.operator(b.store).Create(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	op = workOff(t, b.store, op, func() *operation.Operator {
		between()
		return b.operator(&forgetful{b.store, 2})
	})
	if counts, err = operation.CountsOf(&op); err != nil || op.State != ledger.OperationDone {
		t.Fatalf("%s %s (%v)", op.State, op.Error, err)
	}
	return op, counts
}

// TestAnOperationThatIsKilledGoesOnAndAppliesEachRowOnce loses every second save of the place, and counts payouts that
// add up.
func TestAnOperationThatIsKilledGoesOnAndAppliesEachRowOnce(t *testing.T) {
	const rows = 450
	b := newBench(t)
	receiveIgnored(t, b.book, b.ep.Name, rows)
	op, counts := b.killed(t, operation.Request{Kind: operation.KindReplay, Spec: operation.Spec{Forwards: true}},
		func() {})
	if counts.Outcomes["recorded"] != rows || counts.Money["confirmed"]["USD"].String() != "4500" ||
		counts.Forwards["one"] != rows || counts.Forwards["two"] != rows {
		t.Errorf("%s", op.Counts)
	}
	sum := payouts(t, b.store)
	if sum.String() != "4500" {
		t.Errorf("%d rows of 10 add up to %s", rows, sum)
	}
	logged := 0
	for row, err := range b.store.Received(t.Context(), ledger.ReceivedFilter{Outcome: conversion.Recorded}) {
		if err != nil {
			t.Fatal(err)
		}
		logged++
		if row.Operation != op.ID || row.Kind != ledger.KindReplay {
			t.Fatalf("%+v", row)
		}
	}
	if logged != rows {
		t.Errorf("%d rows in the log", logged)
	}
}

// sendAndFail claims whatever is due, counts it, and gives it up.
func (b *bench) sendAndFail(t *testing.T, claimed map[uuid.UUID]int) {
	t.Helper()
	for {
		now := time.Now().UTC().Truncate(time.Microsecond)
		rows, _, err := b.store.ClaimForwards(t.Context(), ledger.OutboxClaim{
			Holder: "sender", Now: now, Until: now.Add(time.Minute),
			Shares: []ledger.OutboxShare{{Host: "source.example:80", Limit: 1000}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 0 {
			return
		}
		for i := range rows {
			claimed[rows[i].ID]++
			rows[i].State, rows[i].Reason, rows[i].Ended = ledger.ForwardFailed, "status_404", now
		}
		if err := b.store.FinishForwards(t.Context(), "sender", now, rows); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAResendThatIsKilledRequeuesEachForwardOnce has all that is requeued fail again at once, so that a second time
// would be seen.
func TestAResendThatIsKilledRequeuesEachForwardOnce(t *testing.T) {
	const rows = 250
	b := newBench(t)
	receiveIgnored(t, b.book, b.ep.Name, rows)
	if _, counts := b.killed(t, operation.Request{Kind: operation.KindReplay, Spec: operation.Spec{Forwards: true}},
		func() {}); counts.Forwards["one"] != rows {
		t.Fatal(counts)
	}
	b.sendAndFail(t, map[uuid.UUID]int{})
	claimed := map[uuid.UUID]int{}
	_, counts := b.killed(t, operation.Request{
		Kind: operation.KindResend, Spec: operation.Spec{Rule: "one", PerSecond: 500},
	}, func() { b.sendAndFail(t, claimed) })
	b.sendAndFail(t, claimed)
	if counts.Outcomes["resent"] != rows || counts.Forwards["one"] != rows || counts.Rows != rows {
		t.Errorf("%+v", counts)
	}
	for id, times := range claimed {
		if times != 1 {
			t.Errorf("%s was sent %d times", id, times)
		}
	}
	if len(claimed) != rows {
		t.Errorf("%d were sent", len(claimed))
	}
}

// TestAnErasureThatIsKilledGoesOn erases what clicks and postbacks have in common.
func TestAnErasureThatIsKilledGoesOn(t *testing.T) {
	const clicks = 250
	b := newBench(t)
	at := time.Now().UTC().Truncate(time.Microsecond)
	var all []conversion.Click
	for i := range clicks {
		all = append(all, conversion.Click{
			Endpoint: b.ep.Name, SubID: fmt.Sprintf("c%d", i), Time: at, IP: "192.0.2.7", UserAgent: "agent",
		})
	}
	if _, err := b.book.AddClicks(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	op, counts := b.killed(t, operation.Request{
		Kind: operation.KindErase, Erase: ledger.Selection{IP: netip.MustParseAddr("192.0.2.7")},
	}, func() {})
	if counts.Erased == nil || counts.Erased.Clicks != clicks || counts.Outcomes["erased"] != clicks {
		t.Errorf("%s", op.Counts)
	}
	if strings.Contains(string(op.Spec)+op.Input+string(op.Counts), "192.0.2.7") {
		t.Errorf("the operation names whom it is about: %+v", op)
	}
	for click, err := range b.store.Clicks(t.Context(), ledger.ClickFilter{}) {
		if err != nil || click.IP != "" || click.UserAgent != "" || !click.Time.Equal(at) {
			t.Fatalf("%+v (%v)", click, err)
		}
	}
}
