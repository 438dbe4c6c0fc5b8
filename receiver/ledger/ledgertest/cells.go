package ledgertest

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/report"
)

var cellRules = &conversion.Rules{
	Currency: "USD",
	Policies: config.Policies{
		UnknownClick: config.UnknownClickRecord,
		Repeat:       config.RepeatOverwrite,
		RepeatByType: map[string]config.Repeat{"deposit": config.RepeatAdd},
		Slot:         config.SlotTid,
		Transitions:  config.TransitionsAny,
	},
}

// inRubles converts what was pending, for [ledger.Ledger.Reprice].
func inRubles(original decimal.Decimal, from, _ string) money.Amount {
	converted := original.Mul(number("0.0125")).RoundBank(money.Scale)
	return money.Amount{Original: original, Currency: from, Converted: &converted,
		Rate: money.Rate{Value: number("0.0125")}}
}

// trade sends clicks, postbacks, redelivered postbacks, updates and late rates at random through a ledger, until it has
// done so often or ctx ends.
func trade(ctx context.Context, store ledger.Store, seed uint64, times int) error {
	book := ledger.New(store, ledger.Options{Rules: func(string) *conversion.Rules { return cellRules }})
	defer func() { _ = book.Close(context.WithoutCancel(ctx)) }()
	ids := ledger.NewIDs(time.Now)
	var failed error
	var mu sync.Mutex
	var traders sync.WaitGroup
	for n := range uint64(4) {
		traders.Go(func() {
			t := trader{book: book, random: rand.New(rand.NewPCG(seed, n)), ids: ids}
			for range times / 4 {
				if err := t.act(ctx); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
			}
		})
	}
	traders.Wait()
	return failed
}

type trader struct {
	book   *ledger.Ledger
	random *rand.Rand
	ids    *ledger.IDs
	last   ledger.Postback
}

func (t *trader) pick(of ...string) string { return of[t.random.IntN(len(of))] }

func (t *trader) amount() *money.Amount {
	if t.random.IntN(4) == 0 {
		return &money.Amount{Original: number("100.5"), Currency: "RUB"}
	}
	amount := dollars(t.pick("0", "0.1", "0.2", "-0.3", "99999999999999.123456"))
	return &amount
}

func (t *trader) moment() time.Time {
	return noon.Add(time.Duration(t.random.IntN(5*24*60)) * time.Minute)
}

func (t *trader) act(ctx context.Context) error {
	endpoint, subid := t.pick(shop, "shop/other"), fmt.Sprint("s", t.random.IntN(40))
	var err error
	switch t.random.IntN(8) {
	case 0, 1:
		click := conversion.Click{
			Endpoint: endpoint, SubID: subid, Time: t.moment(), Campaign: t.pick("", "spring", awkward),
			Unique: t.random.IntN(2) == 0, Test: t.random.IntN(4) == 0,
		}
		if t.random.IntN(2) == 0 {
			click.Cost = t.amount()
		}
		_, err = t.book.AddClicks(ctx, []conversion.Click{click})
	case 2:
		err = t.book.Reprice(ctx, inRubles)
	case 3:
		_, err = t.book.UpdateClick(ctx, ledger.ClickUpdate{
			Endpoint: endpoint, SubID: subid, Params: conversion.Params{{Name: "keyword", Value: t.pick("a", "b")}},
		})
	case 4:
		if t.last.Intent == nil {
			return nil
		}
		again := *t.last.Intent
		again.Redelivered = true
		_, err = t.book.Postback(ctx, ledger.Postback{Log: t.last.Log, Intent: &again})
	default:
		now := time.Now().UTC().Truncate(time.Microsecond)
		in := &conversion.Intent{
			Endpoint: endpoint, SubID: subid, Slot: conversion.SlotKey{TID: t.pick("", "t")},
			Type:   t.pick("lead", "sale", "rejected", "trash", "deposit", "vip"),
			Payout: t.amount(), Date: t.moment(), Received: now, RequestID: t.ids.Next(), Stamp: now.UnixMicro(),
			Rules: cellRules,
		}
		if t.random.IntN(3) == 0 {
			in.Cost = t.amount()
		}
		t.last = ledger.Postback{Log: ledger.Received{ID: in.RequestID, Endpoint: endpoint, SubID: subid, At: now},
			Intent: in}
		_, err = t.book.Postback(ctx, t.last)
	}
	return err
}

// foldAll folds until nothing is left.
func foldAll(ctx context.Context, store ledger.Store) error {
	for {
		if n, err := store.FoldReports(ctx); n == 0 || err != nil {
			return err
		}
	}
}

var cellReports = []string{
	"group=day,campaign", "group=day,campaign&time=conversion", "group=hour,endpoint&tz=Asia/Kolkata",
	"group=weekday&tz=America/St_Johns&time=conversion", "group=week,endpoint&tz=Europe/Moscow",
	"group=month&filter=campaign+eq+spring", "group=day&tz=Europe/Berlin", "filter=campaign+empty",
	"group=campaign&endpoint=shop/other", "group=hour&filter=day+eq+2026-05-05",
	"group=day&namespace=shop&tz=Pacific/Marquesas",
	"group=day&from=2026-05-04T18:30:00Z&to=2026-05-07T03:00:00Z&tz=Australia/Lord_Howe",
}

// compareCells holds that reports from cells are those from rows.
func compareCells(ctx context.Context, t testing.TB, store ledger.Store) {
	t.Helper()
	rules := report.Rules{
		CountsAs: func(string, string) config.CountsAs { return config.CountsAsConfirmed },
		Currency: func(string) string { return "USD" },
	}
	rows := 0
	for _, raw := range cellReports {
		values, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		q, err := report.Parse(values, noon.AddDate(0, 0, 6), time.LoadLocation)
		if err != nil || !q.Plan().Cells {
			t.Fatalf("%s: cells do not serve it, or %v", raw, err)
		}
		want, err := report.Make(q, store.Facts(ctx, q.Plan()), rules)
		if err != nil {
			t.Fatal(err)
		}
		got, err := report.Make(q, store.CellFacts(ctx, q.Plan()), rules)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want.Rows, got.Rows); diff != "" {
			t.Errorf("%s: reports from rows (-) and from cells (+):\n%s", raw, diff)
		}
		rows += len(want.Rows)
	}
	if rows == 0 {
		t.Error("there was nothing to compare")
	}
}

// testCells trades and folds at once; then cells are what the rows are, also after they were made anew.
func testCells(d *desk) {
	seed := rand.Uint64()
	d.Logf("seed %d", seed)
	traded := make(chan error, 1)
	go func() { traded <- trade(d.Context(), d.store, seed, 600) }()
	for trading := true; trading; {
		select {
		case err := <-traded:
			if trading = false; err != nil {
				d.Fatal(err)
			}
		default:
			if _, err := d.store.FoldReports(d.Context()); err != nil {
				d.Fatal(err)
			}
		}
	}
	fold := func() {
		if err := foldAll(d.Context(), d.store); err != nil {
			d.Fatal(err)
		}
	}
	fold()
	compareCells(d.Context(), d, d.store)
	if behind, err := d.store.ReportsBehind(d.Context()); err != nil || !behind.IsZero() {
		d.Errorf("all is folded, and the cells are behind since %v: %v", behind, err)
	}
	if err := trade(d.Context(), d.store, seed+1, 60); err != nil {
		d.Fatal(err)
	}
	if behind, err := d.store.ReportsBehind(d.Context()); err != nil || time.Since(behind) > time.Hour {
		d.Errorf("something is not folded, and the cells are behind since %v: %v", behind, err)
	}
	for _, endpoint := range []string{shop, ""} {
		if err := d.store.RebuildReports(d.Context(), endpoint); err != nil {
			d.Fatal(err)
		}
	}
	for _, all := range []time.Time{time.Now().Add(time.Hour)} {
		if _, err := d.store.Prune(d.Context(), all, all, 10_000); err != nil {
			d.Fatal(err)
		}
	}
	fold()
	compareCells(d.Context(), d, d.store)
	tests, err := d.store.OldTests(d.Context(), time.Now().Add(time.Hour), 1000)
	if err != nil || len(tests) == 0 {
		d.Fatalf("%d tests: %v", len(tests), err)
	}
	d.write(&ledger.Changes{Tests: sorted(tests)})
	fold()
	compareCells(d.Context(), d, d.store)
}

// Trading is what a process that is to be killed writes to its standard output once there is something to lose.
const Trading = "trading\n"

// TradeUntilKilled trades and folds in a process that is killed: see [AfterKill].
func TradeUntilKilled(ctx context.Context, store ledger.Store) error {
	seed := rand.Uint64()
	if err := trade(ctx, store, seed, 40); err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString(Trading); err != nil {
		return err
	}
	go func() {
		for ctx.Err() == nil {
			_, _ = store.FoldReports(ctx)
		}
	}()
	return trade(ctx, store, seed+1, 1<<30)
}

// KillWhileTrading runs a test of this binary in another process, which calls [TradeUntilKilled], and kills it a while
// after it has begun.
func KillWhileTrading(t testing.TB, test, environment string, after time.Duration) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$")
	child.Env = append(os.Environ(), environment)
	output, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil || line != Trading {
		t.Errorf("the process said %q: %v", line, err)
	}
	time.Sleep(after)
	_ = child.Process.Kill()
	if _ = child.Wait(); child.ProcessState.Exited() {
		t.Error("the process ended by itself")
	}
}

// AfterKill holds that cells are what the rows are, once what is left was folded.
func AfterKill(ctx context.Context, t testing.TB, store ledger.Store) {
	t.Helper()
	if err := foldAll(ctx, store); err != nil {
		t.Fatal(err)
	}
	compareCells(ctx, t, store)
}
