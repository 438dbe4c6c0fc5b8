package ledger_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func TestStampsIncreaseStrictlyThoughTheClockStandsStill(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	stamper := ledger.NewStamper(func() time.Time { return now })
	var group sync.WaitGroup
	lists := make([][]int64, 4)
	for i := range lists {
		group.Go(func() {
			for range 1000 {
				lists[i] = append(lists[i], stamper.Next())
			}
		})
	}
	group.Wait()
	for _, list := range lists {
		if !slices.IsSorted(list) {
			t.Error("one caller's stamps are out of order")
		}
	}
	all := slices.Concat(lists...)
	slices.Sort(all)
	if all[0] != now.UnixMicro() || all[len(all)-1] != now.UnixMicro()+3999 || len(slices.Compact(all)) != 4000 {
		t.Errorf("stamps from %d to %d, want 4000 different ones from %d", all[0], all[len(all)-1], now.UnixMicro())
	}
	now = now.Add(-time.Hour)
	if next := stamper.Next(); next != all[len(all)-1]+1 {
		t.Errorf("after the clock was set back: %d, want one more than before", next)
	}
	ahead := now.Add(24 * time.Hour).UnixMicro()
	if stamper.Follow(ahead); stamper.Next() != ahead+1 {
		t.Error("a stamp that another process gave was not followed")
	}
	if stamper.Follow(1); stamper.Next() != ahead+2 {
		t.Error("a lesser stamp was followed")
	}
}
