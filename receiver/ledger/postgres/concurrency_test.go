package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// answers are the postbacks that were sent and what was answered, by request id.
type answers struct {
	sync.Mutex
	intents  map[uuid.UUID]*conversion.Intent
	results  map[uuid.UUID]ledger.Result
	recorded int
}

// TestThreeReceiversLeaveWhatASequentialReplayLeaves lets 200 clients of three receivers change the same few slots, and
// then applies the recorded postbacks one after the other in the order that the history shows.
func TestThreeReceiversLeaveWhatASequentialReplayLeaves(t *testing.T) {
	const receivers, clients, postbacks, subids, tids = 3, 200, 20, 5, 2
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dsn := pgtest.Shared(t).NewDatabase(t)
	books := make([]*ledger.Ledger, receivers)
	var deadlocks deadlocks
	for i := range books {
		books[i] = ledger.New(openStore(t, postgres.Options{DSN: dsn}), ledger.Options{Lanes: 2, Observer: &deadlocks})
		defer func() { must(t, books[i].Close(context.WithoutCancel(t.Context()))) }()
	}
	clicks := raceClicks(t, books, subids)

	got := answers{intents: map[uuid.UUID]*conversion.Intent{}, results: map[uuid.UUID]ledger.Result{}}
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(client)))
			for range postbacks {
				p := randomPostback(random, subids, tids)
				result, err := books[client%receivers].Postback(t.Context(), p)
				if err != nil {
					t.Errorf("postback: %v", err)
					return
				}
				got.add(p.Intent, result)
			}
		})
	}
	wg.Wait()

	store := openStore(t, postgres.Options{DSN: dsn})
	versions := 0
	for c, err := range store.Conversions(t.Context(), ledger.ConversionFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		history, err := store.History(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		versions += len(history)
		got.replay(t, history, clicks[c.SubID])
	}
	if versions != got.recorded {
		t.Errorf("%d versions, %d postbacks were answered as recorded", versions, got.recorded)
	}
	if n := queryInt(t, dsn, "select count(*) from outbox"); n != got.recorded {
		t.Errorf("%d forwards, %d postbacks were answered as recorded", n, got.recorded)
	}
	got.wantReceived(t, store)
	if n := deadlocks.Load(); n != 0 {
		t.Errorf("%d batches failed by deadlocks", n)
	}
}

// deadlocks counts the batches that a deadlock ended.
type deadlocks struct{ atomic.Int64 }

func (*deadlocks) BatchCommitted(int, int, time.Duration) {}

func (d *deadlocks) BatchFailed(_ int, err error) {
	if strings.Contains(err.Error(), "40P01") {
		d.Add(1)
	}
}

// raceClicks has all receivers store the same clicks at once, and checks that each is accepted by one of them.
func raceClicks(t *testing.T, books []*ledger.Ledger, subids int) map[string]*conversion.Click {
	t.Helper()
	clicks := make([]conversion.Click, subids)
	bySubID := make(map[string]*conversion.Click, subids)
	for i := range clicks {
		clicks[i] = conversion.Click{Endpoint: testEndpoint, SubID: fmt.Sprintf("hot-%d", i),
			Time: time.Now().UTC().Truncate(time.Microsecond)}
		bySubID[clicks[i].SubID] = &clicks[i]
	}
	var wg sync.WaitGroup
	accepted := make([]int, len(books))
	for i, book := range books {
		wg.Go(func() {
			results, err := book.AddClicks(t.Context(), clicks)
			if err != nil {
				t.Errorf("clicks: %v", err)
			}
			for _, result := range results {
				if result == ledger.ClickAccepted {
					accepted[i]++
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range accepted {
		total += n
	}
	if total != subids {
		t.Errorf("%d clicks accepted by %v, want %d", total, accepted, subids)
	}
	return bySubID
}

func randomPostback(random *rand.Rand, subids, tids int) ledger.Postback {
	types := []string{"lead", "sale", "rejected"}
	return newPostback(fmt.Sprintf("hot-%d", random.IntN(subids)), []string{"", "2"}[random.IntN(tids)],
		types[random.IntN(len(types))], fmt.Sprint(random.IntN(3)))
}

func (a *answers) add(in *conversion.Intent, result ledger.Result) {
	a.Lock()
	defer a.Unlock()
	a.intents[in.RequestID], a.results[in.RequestID] = in, result
	if result.Outcome == conversion.Recorded {
		a.recorded++
	}
}

// replay applies the postbacks that made the versions of a conversion, and compares.
func (a *answers) replay(t *testing.T, history []*conversion.Conversion, click *conversion.Click) {
	t.Helper()
	var prev *conversion.Conversion
	for i, version := range history {
		in := a.intents[version.RequestID]
		if in == nil || version.Version != i+1 {
			t.Fatalf("version %d in place %d, made by %v", version.Version, i+1, in)
		}
		next := conversion.Apply(in, prev, click).Next
		if diff := cmp.Diff(next, version, cmpopts.EquateApproxTime(time.Microsecond), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("version %d of %s/%s (-replayed +stored):\n%s", i+1, version.SubID, version.Slot.TID, diff)
		}
		prev = version
	}
}

// wantReceived compares the received log with the answers.
func (a *answers) wantReceived(t *testing.T, store ledger.Store) {
	t.Helper()
	rows := 0
	for row, err := range store.Received(t.Context(), ledger.ReceivedFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows++
		if want := a.results[row.ID]; row.Outcome != want.Outcome || row.Conversion != want.ConversionID {
			t.Errorf("row %v says %s %v, the answer was %s %v", row.ID, row.Outcome, row.Conversion, want.Outcome,
				want.ConversionID)
		}
	}
	if rows != len(a.results) {
		t.Errorf("%d rows in the received log, %d postbacks answered", rows, len(a.results))
	}
}

// TestASignatureCountsOnceWhicheverReceiverGetsIt sends copies of signed requests, whose payouts add up, to three
// receivers.
func TestASignatureCountsOnceWhicheverReceiverGetsIt(t *testing.T) {
	const receivers, signatures, copies = 3, 20, 12
	dsn := pgtest.Shared(t).NewDatabase(t)
	books := make([]*ledger.Ledger, receivers)
	for i := range books {
		books[i] = ledger.New(openStore(t, postgres.Options{DSN: dsn}), ledger.Options{Lanes: 2})
		defer func() { must(t, books[i].Close(context.WithoutCancel(t.Context()))) }()
	}
	raceClicks(t, books, 1)
	rules := &conversion.Rules{Currency: "USD", Policies: config.Policies{Repeat: config.RepeatAdd}}
	one := decimal.NewFromInt(1)
	var recorded atomic.Int64
	var wg sync.WaitGroup
	for n := range signatures * copies {
		wg.Go(func() {
			at, id := time.Now().UTC().Truncate(time.Microsecond), uuid.Must(uuid.NewV7())
			result, err := books[n%receivers].Postback(t.Context(), ledger.Postback{
				Log: ledger.Received{ID: id, Endpoint: testEndpoint, SubID: "hot-0", At: at,
					Signature: uuid.UUID{15: byte(n/copies) + 1}},
				Intent: &conversion.Intent{
					Endpoint:  testEndpoint,
					SubID:     "hot-0",
					Type:      "sale",
					RequestID: id,
					Received:  at,
					Stamp:     at.UnixMicro(),
					Payout:    &money.Amount{Original: one, Currency: "USD", Converted: &one},
					Rules:     rules,
				},
			})
			must(t, err)
			if result.Outcome == conversion.Recorded {
				recorded.Add(1)
			}
		})
	}
	wg.Wait()
	if n := recorded.Load(); n != signatures {
		t.Errorf("%d postbacks are recorded, want %d", n, signatures)
	}
	if n := queryInt(t, dsn, "select payout::int from conversions"); n != signatures {
		t.Errorf("they add up to %d, want %d", n, signatures)
	}
	if n := queryInt(t, dsn, "select count(*) from received where outcome = 'duplicate' and "+
		"signature is null"); n != signatures*(copies-1) {
		t.Errorf("%d duplicates, want %d", n, signatures*(copies-1))
	}
}
