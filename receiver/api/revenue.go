package api

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

type revenueKey struct{ endpoint, currency string }

// revenue sums the current version of every conversion that was created in the given time, except tests. It reads row
// by row and keeps the sums only.
func (a *api) revenue(w http.ResponseWriter, r *http.Request) error {
	f, err := filtersOf(r, revenueFilters)
	if err != nil {
		return err
	}
	f.limit = 0
	sums := map[revenueKey]*conversion.Totals{}
	for c, err := range a.Store.Conversions(r.Context(), f.conversions()) {
		if err != nil {
			return err
		}
		if c.Test {
			continue
		}
		key := revenueKey{c.Endpoint, c.EndpointCurrency}
		if sums[key] == nil {
			sums[key] = &conversion.Totals{}
		}
		sums[key].Add(c, a.Rules.CountsAs(c.Endpoint, c.Type))
	}
	WriteJSON(w, http.StatusOK, read.Page[read.Revenue]{Items: viewRevenue(sums)})
	return nil
}

func viewRevenue(sums map[revenueKey]*conversion.Totals) []read.Revenue {
	views := make([]read.Revenue, 0, len(sums))
	for _, key := range slices.SortedFunc(maps.Keys(sums), func(a, b revenueKey) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.currency, b.currency))
	}) {
		sum := sums[key]
		view := read.Revenue{
			Endpoint:     key.endpoint,
			Currency:     key.currency,
			Total:        sum.Total().String(),
			Hold:         sum.Hold.String(),
			Confirmed:    sum.Confirmed.String(),
			Rejected:     sum.Rejected.String(),
			Registration: sum.Registration.String(),
			Deposit:      sum.Deposit.String(),
			Trash:        sum.Trash.String(),
			Conversions:  sum.Conversions,
			Pending:      sum.Pending,
		}
		for name, payout := range sum.Custom {
			if view.Custom == nil {
				view.Custom = map[string]string{}
			}
			view.Custom[name] = payout.String()
		}
		views = append(views, view)
	}
	return views
}
