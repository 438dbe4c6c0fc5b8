package ledgertest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// testClickFilter pages through the clicks of two endpoints. A placeholder is none of them.
func testClickFilter(d *desk) {
	var all []*conversion.Click
	for n := range 700 { // more than a page of any engine
		click := bareClick(fmt.Sprintf("c%03d", n))
		if n%7 == 0 {
			click = fullClick(click.SubID)
		}
		click.Endpoint = []string{shop, "shop/other"}[n%2]
		click.Time = noon.Add(time.Duration(n*7919%700/3) * time.Minute) // Some are of one moment.
		all = append(all, click)
	}
	d.write(&ledger.Changes{NewClicks: all})
	placeholder := ledger.KeyOf(shop, "placeholder")
	d.read(ledger.Want{Keys: []ledger.Key{placeholder}, Create: []ledger.Key{placeholder}})
	for _, endpoint := range []string{"", shop, "shop/other", "shop/none"} {
		want := slices.DeleteFunc(slices.Clone(all),
			func(c *conversion.Click) bool { return endpoint != "" && c.Endpoint != endpoint })
		whole := d.listClicks(ledger.ClickFilter{Endpoint: endpoint})
		d.same("the clicks of "+endpoint, sortedClicks(want), sortedClicks(whole))
		for _, limit := range []int{1, 97} {
			paged := d.pageClicks(ledger.ClickFilter{Endpoint: endpoint, Limit: limit}, min(len(whole), 3*limit))
			d.same(fmt.Sprintf("the first clicks of %q by %d", endpoint, limit), whole[:len(paged)], paged)
		}
		d.clicksByTime(endpoint, want)
	}
	for _, c := range []*conversion.Click{all[0], all[1]} {
		got, err := d.store.Click(d.Context(), c.Endpoint, c.SubID)
		if err != nil {
			d.Fatal(err)
		}
		d.same("one click", c, got)
	}
	for _, key := range []ledger.Key{placeholder, ledger.KeyOf("shop/other", all[0].SubID),
		ledger.KeyOf("shop/none", "c1")} {
		if got, err := d.store.Click(d.Context(), key.Endpoint, key.SubID); got != nil || err != nil {
			d.Errorf("%v: %v, %v", key, got, err)
		}
	}
}

// clicksByTime holds that both orders of time have all clicks, also page by page.
func (d *desk) clicksByTime(endpoint string, want []*conversion.Click) {
	d.Helper()
	for order, sign := range map[ledger.ClickOrder]int{ledger.ClicksOldestFirst: 1, ledger.ClicksNewestFirst: -1} {
		f := ledger.ClickFilter{Endpoint: endpoint, Order: order}
		whole := d.listClicks(f)
		if !slices.IsSortedFunc(whole, func(a, b *conversion.Click) int { return sign * a.Time.Compare(b.Time) }) {
			d.Errorf("the clicks of %q in order %d are not in the order of their times", endpoint, order)
		}
		for _, limit := range []int{1, 97} {
			f.Limit = limit
			paged := d.pageClicks(f, min(len(whole), 5*limit))
			d.same(fmt.Sprintf("the first clicks of %q in order %d by %d", endpoint, order, limit), whole[:len(paged)], paged)
		}
		d.same(fmt.Sprintf("the clicks of %q in order %d", endpoint, order), sortedClicks(want), sortedClicks(whole))
	}
}

func (d *desk) listClicks(f ledger.ClickFilter) []*conversion.Click {
	d.Helper()
	var found []*conversion.Click
	for c, err := range d.store.Clicks(d.Context(), f) {
		if err != nil {
			d.Fatal(err)
		}
		found = append(found, c)
	}
	return found
}

// pageClicks reads n clicks or a few more, page by page.
func (d *desk) pageClicks(f ledger.ClickFilter, n int) (found []*conversion.Click) {
	d.Helper()
	for len(found) < n {
		page := d.listClicks(f)
		if len(page) == 0 || len(page) > f.Limit {
			d.Fatalf("a page of %d by %d", len(page), f.Limit)
		}
		found = append(found, page...)
		last := page[len(page)-1]
		f.After, f.AfterTime = ledger.KeyOf(last.Endpoint, last.SubID), last.Time
	}
	return found
}

func sortedClicks(clicks []*conversion.Click) []*conversion.Click {
	return slices.SortedFunc(slices.Values(clicks),
		func(a, b *conversion.Click) int { return strings.Compare(a.SubID, b.SubID) })
}
