package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// TestClicksAreKeptForAsLongAsIsDeclared: more than a page of them, some of which have a conversion.
func TestClicksAreKeptForAsLongAsIsDeclared(t *testing.T) {
	const old, young = 2500, 10
	for name, c := range map[string]struct {
		keep time.Duration
		want []int
	}{
		"forever":        {0, []int{old, young}},
		"for two months": {60 * 24 * time.Hour, []int{old, young}},
		"for a month":    {30 * 24 * time.Hour, []int{3, young}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, ledger.Options{ClicksFor: func() time.Duration { return c.keep }})
				defer d.close()
				add := func(kind string, n int) {
					subids := make([]string, n)
					for i := range subids {
						subids[i] = fmt.Sprint(kind, i)
					}
					d.addClicks(subids...)
				}
				add("old", old)
				for i, subid := range []string{"old0", "old1200", "old2499"} {
					d.send(d.postback(subid, int64(i+1)))
				}
				time.Sleep(31 * 24 * time.Hour)
				add("young", young)
				ctx, stop := context.WithCancel(context.Background())
				var running sync.WaitGroup
				running.Go(func() { d.Ledger.Run(ctx) })
				time.Sleep(3 * time.Minute)
				stop()
				running.Wait()
				for i, n := range []int{old, young} {
					if got := d.clicksLeft([]string{"old", "young"}[i], n); got != c.want[i] {
						t.Errorf("%d clicks of %d are left, want %d", got, n, c.want[i])
					}
				}
				if c.keep > 0 && c.want[0] < old { // A postback of one that is gone is one of an unknown click.
					if got := d.send(d.postback("old7", 5)); got.Reason != "click_not_found" {
						t.Errorf("a postback of a click that is gone got %+v", got)
					}
				}
			})
		})
	}
}

// clicksLeft counts the clicks of that kind, of which there were n.
func (d *desk) clicksLeft(kind string, n int) int {
	d.Helper()
	left := 0
	for i := range n {
		click, err := d.UpdateClick(context.Background(), ledger.ClickUpdate{Endpoint: endpoint, SubID: fmt.Sprint(kind, i)})
		if err != nil {
			d.Fatal(err)
		}
		if click != nil {
			left++
		}
	}
	return left
}

// TestTestsAreRemovedAfterAWeek: with all that came of them, while clicks that count stay, whatever is declared.
func TestTestsAreRemovedAfterAWeek(t *testing.T) {
	const tests = 1200
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, ledger.Options{})
		defer d.close()
		d.addClicks("real0")
		clicks := make([]conversion.Click, tests)
		for i := range clicks {
			clicks[i] = conversion.Click{Endpoint: endpoint, SubID: fmt.Sprint("test", i), Time: time.Now(), Test: true}
		}
		if _, err := d.AddClicks(t.Context(), clicks); err != nil {
			t.Fatal(err)
		}
		for i, subid := range []string{"test0", "test700", "real0"} {
			if got := d.send(d.postback(subid, int64(i+1))); got.Outcome != conversion.Recorded || got.Test != (i < 2) {
				t.Errorf("a postback for %s got %+v", subid, got)
			}
		}
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { d.Ledger.Run(ctx) })
		time.Sleep(7*24*time.Hour - time.Minute)
		if left := d.clicksLeft("test", tests); left != tests {
			t.Errorf("%d tests are left before the week is over", left)
		}
		time.Sleep(3 * time.Minute)
		stop()
		running.Wait()
		if left := d.clicksLeft("test", tests); left != 0 || d.clicksLeft("real", 1) != 1 {
			t.Errorf("%d tests are left, and of one click that counts %d", left, d.clicksLeft("real", 1))
		}
		var conversions []string
		for c, err := range d.store.Conversions(context.Background(), ledger.ConversionFilter{}) {
			if err != nil {
				t.Fatal(err)
			}
			conversions = append(conversions, c.SubID)
		}
		if !slices.Equal(conversions, []string{"real0"}) {
			t.Errorf("conversions that are left: %v", conversions)
		}
		if got := d.send(d.postback("test0", 9)); got.Reason != conversion.ClickNotFound {
			t.Errorf("a postback for a test that is gone got %+v", got)
		}
	})
}
