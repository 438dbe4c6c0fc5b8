package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// fullPages are the lists with 100 rows each, such as networks send them, as they are before they are rendered.
func fullPages(tb testing.TB) map[string]*page {
	word, reason := strings.Repeat("w", 60), "status_unknown"
	query := "subid=" + word + "&status=approve&payout=12.5&currency=EUR&tid=100001&sub_id_1=ios&sub_id_2=de&keyword=running+shoes"
	made := map[string]*page{}
	for _, section := range []string{"conversions", "received", "s2s", "clicks"} {
		r := httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/console/"+section+"?lang=ru&tz=Europe/Moscow", nil)
		p := newPage(r, at)
		p.section(section)
		p.Token, p.Changes = strings.Repeat("0", 64), true
		for i := range 100 {
			id := fmt.Sprintf("01912345-6789-7abc-8def-%012d", i)
			when := at.Add(-time.Duration(i) * time.Minute)
			switch section {
			case "conversions":
				payout := "13.75"
				p.Conversions = append(p.Conversions, read.Conversion{
					ID: id, Endpoint: "shop/main", SubID: word, TID: "100001", Type: "sale", PreviousType: &reason,
					Payout: &payout, Currency: "USD", OriginalPayout: "12.5", OriginalCurrency: "EUR", Campaign: &word,
					ConversionTime: &when, UpdatedAt: &when, Warnings: []string{"payout_ambiguous"},
				})
			case "received":
				p.Postbacks = append(p.Postbacks, read.Postback{
					ID: id, Time: &when, Endpoint: "shop/main", IP: "192.0.2.1", Method: "GET", Query: query, SubID: &word,
					Status: &word, Outcome: "ignored", Reason: &reason,
				})
			case "s2s":
				attempt := read.Attempt{At: &when, Milliseconds: 120, URL: &query, Answer: &word}
				p.Forwards = append(p.Forwards, read.Forward{
					ID: id, ConversionID: id, Endpoint: "shop/main", Rule: "source", Host: "ts.example:443", SubID: word,
					Type: "sale", State: "failed", Reason: &reason, CreatedAt: &when, Tries: 3,
					Attempts: []read.Attempt{attempt, attempt, attempt},
				})
			case "clicks":
				p.Clicks = append(p.Clicks, read.Click{
					Endpoint: "shop/main", SubID: word, Time: &when, Campaign: &word, IP: &word,
					Params: map[string]string{"source": word, "keyword": word},
				})
			}
		}
		made[section] = p
	}
	return made
}

// BenchmarkRender measures the HTML of pages of 100 rows, without what is asked for them.
func BenchmarkRender(b *testing.B) {
	for section, p := range fullPages(b) {
		b.Run(section, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := p.render(httptest.NewRecorder(), http.StatusOK); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestAPageOf100RowsIsCheapToRender bounds what does not depend on the machine: a page of 100 rows takes the longer the
// more it allocates.
func TestAPageOf100RowsIsCheapToRender(t *testing.T) {
	for section, p := range fullPages(t) {
		allocations := testing.AllocsPerRun(3, func() {
			if err := p.render(httptest.NewRecorder(), http.StatusOK); err != nil {
				t.Fatal(err)
			}
		})
		if allocations > 60_000 {
			t.Errorf("%s: %.0f allocations", section, allocations)
		}
	}
}
