package ops

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
)

// CountsAsFunc says in which total a custom conversion type of an endpoint ("namespace/name") counts besides its own;
// [config.CountsAsNone] for an endpoint or a type that is not declared.
type CountsAsFunc func(endpoint, conversionType string) config.CountsAs

// revenueView is what one endpoint earned in one currency. An endpoint whose currency was changed has several.
type revenueView struct {
	Endpoint string          `json:"endpoint"`
	Currency string          `json:"currency"`
	Total    decimal.Decimal `json:"total"`
	conversion.Totals
}

type revenueKey struct{ endpoint, currency string }

// revenue sums the current version of every conversion that was created in the given time. It reads row by row and keeps
// the sums only.
func (a *api) revenue(w http.ResponseWriter, r *http.Request) error {
	f, err := parseFilters(r.URL.RawQuery, revenueFilters)
	if err != nil {
		return err
	}
	f.limit = 0
	sums := map[revenueKey]*conversion.Totals{}
	for c, err := range a.store.Conversions(r.Context(), f.conversions()) {
		if err != nil {
			return err
		}
		key := revenueKey{c.Endpoint, c.EndpointCurrency}
		if sums[key] == nil {
			sums[key] = &conversion.Totals{}
		}
		sums[key].Add(c, a.countsAs(c.Endpoint, c.Type))
	}
	writeJSON(w, http.StatusOK, page{Items: viewRevenue(sums)})
	return nil
}

func viewRevenue(sums map[revenueKey]*conversion.Totals) []any {
	views := make([]any, 0, len(sums))
	for _, key := range slices.SortedFunc(maps.Keys(sums), func(a, b revenueKey) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.currency, b.currency))
	}) {
		views = append(views, revenueView{Endpoint: key.endpoint, Currency: key.currency, Total: sums[key].Total(), Totals: *sums[key]})
	}
	return views
}
