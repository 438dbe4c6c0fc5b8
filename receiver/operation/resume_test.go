package operation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/shopspring/decimal"

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

// TestAnOperationThatIsKilledGoesOnAndAppliesEachRowOnce loses every second save of the place, and counts payouts that
// add up.
func TestAnOperationThatIsKilledGoesOnAndAppliesEachRowOnce(t *testing.T) {
	const rows = 450
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	declared := receivertest.Endpoint()
	declared.Policies.Repeat = config.RepeatAdd
	snapshot, err := endpoint.Build(&config.Config{Fleet: receivertest.Fleet(), Endpoints: []config.Endpoint{declared}})
	if err != nil {
		t.Fatal(err)
	}
	ep := snapshot.Endpoints()[0]
	book := ledger.New(store, ledger.Options{})
	defer func() { _ = book.Close(t.Context()) }()

	receiveIgnored(t, book, ep.Name, rows)
	operator := func(of operation.Store) *operation.Operator {
		return operation.New(operation.Options{
			Store: of, Ledger: book, Endpoints: func() *endpoint.Snapshot { return snapshot },
			Rates: func() *money.Table { return nil }, Holder: "a", Logger: slog.New(slog.DiscardHandler), Clock: time.Now,
		})
	}
	op, _, err := operator(store).Create(t.Context(), operation.Request{
		Kind: operation.KindReplay, Endpoint: ep.Name, Note: "n", Spec: operation.Spec{Forwards: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	op = workOff(t, store, op, func() *operation.Operator { return operator(&forgetful{store, 2}) })
	counts, err := operation.CountsOf(&op)
	if err != nil || op.State != ledger.OperationDone || counts.Outcomes["recorded"] != rows ||
		counts.Money["confirmed"]["USD"].String() != "4500" {
		t.Errorf("%s: %s (%v)", op.State, op.Counts, err)
	}
	sum := payouts(t, store)
	if sum.String() != "4500" {
		t.Errorf("%d rows of 10 add up to %s", rows, sum)
	}
	logged := 0
	for row, err := range store.Received(t.Context(), ledger.ReceivedFilter{Outcome: conversion.Recorded}) {
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
