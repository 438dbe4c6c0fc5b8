package console

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// Whatever is answered, a page of another site can neither frame it nor read it, and a browser takes it for nothing
// else.
func TestEveryAnswerForbidsFramesAndForeignReaders(t *testing.T) {
	for _, target := range append(pages, "/console/static/console.js", "/console/conversions.csv", "/console/overview/chart.svg",
		"/console/tail?list=received", "/console/overview/chart.svg?n=99") {
		api := &receiver{status: map[bool]int{true: http.StatusServiceUnavailable}[strings.Contains(target, "tail")]}
		h := get(t, api, target).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy":      policy,
			"X-Frame-Options":              "DENY",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control":                "no-store",
			"Access-Control-Allow-Origin":  "",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q", target, name, got)
			}
		}
	}
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
		if !strings.Contains(policy, part) || strings.Contains(policy, "unsafe") {
			t.Errorf("the policy is %s", policy)
		}
	}
}

// BenchmarkAPageOf100Rows measures the HTML of a list, without the query. 20 ms are the budget.
func BenchmarkAPageOf100Rows(b *testing.B) {
	for name, target := range map[string]string{"conversions": "/console/conversions", "received": "/console/received"} {
		b.Run(name, func(b *testing.B) {
			word := strings.Repeat("w", 200)
			rows := make([]read.Postback, 100)
			slots := make([]read.Conversion, 100)
			for i := range rows {
				rows[i] = read.Postback{
					ID: "id", Time: &at, Endpoint: "shop/main", Method: "GET", Query: "subid=" + word + "&status=approve&payout=12.5",
					SubID: &word, Outcome: "ignored", Reason: pointer("status_unknown"),
				}
				slots[i] = read.Conversion{
					ID: "id", Endpoint: "shop/main", SubID: word, Type: "sale", OriginalPayout: "12.5", OriginalCurrency: "EUR",
					ConversionTime: &at, UpdatedAt: &at,
				}
			}
			answers := map[string][]byte{}
			answers["/api/v1/postbacks"], _ = json.Marshal(read.Page[read.Postback]{Items: rows})
			answers["/api/v1/conversions"], _ = json.Marshal(read.Page[read.Conversion]{Items: slots})
			answers["/api/v1/endpoints"], _ = json.Marshal(read.Page[read.Endpoint]{})
			handler := consoleOver(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write(answers[r.URL.Path])
			}), nil).handler()
			for b.Loop() {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, target, nil))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
