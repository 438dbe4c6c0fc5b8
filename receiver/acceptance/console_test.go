package acceptance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/console"
	outcome "github.com/postback-dev/postback-operator/receiver/conversion"
)

func TestTheConsoleShowsWhatWasRecorded(t *testing.T) {
	onBothEngines(t, declare(t, []string{""}), func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		for _, step := range []step{
			click(`{"subid":"c1","campaign":"spring","cost":"2"}`),
			get("subid=c1&status=lead&payout=10", "recorded"),
			get("subid=c1&status=sale&payout=12&currency=eur", "recorded"),
			get("subid=c1&status=%3Cb%3Efoo", "ignored; reason=status_unresolved_macro"),
		} {
			step.run(t, s)
		}
		id := list[conversion](t, r, "/api/v1/conversions", nil)[0].ID
		for path, wants := range map[string][]string{
			"":                   {"spring", "13.20", "560.00", console.Explain("en", "status_unresolved_macro")},
			"conversions":        {"c1", "12 EUR", "13.2 USD", "← lead", "/console/conversions/" + id},
			"conversions/" + id:  {"10 USD", "12 EUR", "status=lead&amp;payout=10", "key"},
			"received?lang=ru":   {"<code>status_unresolved_macro</code>", console.Explain("ru", "status_unresolved_macro")},
			"s2s":                {"There is no such S2S postback."},
			"reports?group=type": {"sale", "13.20", "metrics of clicks are empty"},
		} {
			status, text := r.read(t, "/console/"+path)
			for _, want := range wants {
				if status != http.StatusOK || !strings.Contains(text, want) {
					t.Errorf("/console/%s: status %d, lacks %q", path, status, want)
				}
			}
		}
	})
}

func TestTheConsoleIsForThisMachineOnly(t *testing.T) {
	r := start(t, declare(t, []string{""}))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.ops+"/console/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "rebound.example"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("a page that rebinds its name to loopback gets %s", response.Status)
	}
}

func TestTheConsoleExplainsEveryReasonInEveryLanguage(t *testing.T) {
	for _, reason := range outcome.Reasons() {
		for _, lang := range []string{"en", "ru"} {
			if console.Explain(lang, string(reason)) == "" {
				t.Errorf("%s has no sentence in %s", reason, lang)
			}
		}
	}
}
