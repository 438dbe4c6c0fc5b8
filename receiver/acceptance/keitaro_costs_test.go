package acceptance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// spends sends costs as a script does, and waits until they are set.
func (r *rig) spends(t *testing.T, body string) read.Operation {
	t.Helper()
	status, _, text := r.asScript(t, adminCostKey, http.MethodPost, "/admin_api/v1/clicks/update_costs", body)
	if status != http.StatusOK || text != `{"success":true}` {
		t.Fatalf("%s: %d %s", body, status, text)
	}
	ops := list[read.Operation](t, r, "/api/v1/operations", url.Values{"kind": {"costs"}, "limit": {"1"}})
	op := r.ended(t, ops[0].ID)
	if op.State != "done" || or(op.Actor, "") != "Keitaro's Admin API" {
		t.Fatalf("%s", summed(op))
	}
	return op
}

// campaignIDs are the numbers that scripts know campaigns by.
func (r *rig) campaignIDs(t *testing.T) map[string]int64 {
	t.Helper()
	_, _, text := r.asScript(t, adminKey, http.MethodGet, "/admin_api/v1/campaigns", "")
	var campaigns []struct {
		ID   int64
		Name string
	}
	if err := json.Unmarshal([]byte(text), &campaigns); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	ids := map[string]int64{}
	for _, c := range campaigns {
		ids[c.Name] = c.ID
	}
	return ids
}

// sevenClicks are of one campaign, two by two of the same ad, and one of another campaign.
func (s *scene) sevenClicks(t *testing.T) {
	t.Helper()
	for i := range 7 {
		click(fmt.Sprintf(`{"subid":"c%d","time":"2026-03-01T1%d:30:00Z","campaign":"spring","sub_id_6":"ad%d","cost":"9"}`,
			i, i%3, i/2)).run(t, s)
	}
	click(`{"subid":"other","time":"2026-03-01T10:30:00Z","campaign":"summer","cost":"4"}`).run(t, s)
}

// costs demands what the sums that are kept and the rows themselves say clicks have cost.
func (s *scene) costs(t *testing.T, what string, want ...string) {
	t.Helper()
	const query = "from=2026-03-01&to=2026-03-02&metrics=clicks,cost&"
	eventually(t, func() string { return cmp.Diff(want, s.reported(t, query+"group=campaign")) })
	byRows := map[string]bool{}
	for _, line := range s.reported(t, query+"group=campaign&filter=keyword empty") {
		byRows[line] = true
	}
	for _, line := range want {
		if !byRows[line] {
			t.Errorf("%s: the rows say %v, the sums %v", what, byRows, want)
		}
	}
}

func TestAScriptUpdatesCosts(t *testing.T) {
	guarded(t, []string{""}, func(t *testing.T, r *rig) {
		s := sceneOf(r, 0)
		s.sevenClicks(t)
		s.costs(t, "before", "spring USD 7 63", "summer USD 1 4")
		ids := r.campaignIDs(t)
		body := func(entries string) string {
			return fmt.Sprintf(`{"campaign_ids":[%d],"timezone":"Europe/Moscow","currency":"USD","only_campaign_uniques":0,"costs":[%s]}`,
				ids["spring"], entries)
		}
		day := `"start_date":"2026-03-01 00:00","end_date":"2026-03-01 23:59"`
		op := r.spends(t, body(`{`+day+`,"cost":10}`))
		if op.Clicks == nil || *op.Clicks != 7 {
			t.Errorf("%+v", op)
		}
		s.costs(t, "10 over 7 clicks", "spring USD 7 10", "summer USD 1 4")

		r.spends(t, body(`{`+day+`,"cost":"10"}`))
		s.costs(t, "the same again", "spring USD 7 10", "summer USD 1 4")

		// 10:30 in UTC is 13:30 in Moscow: three of the clicks.
		r.spends(t, body(`{"start_date":"2026-03-01 13:00:00","end_date":"2026-03-01 13:59:59","cost":0.3,"currency":"EUR"}`))
		s.costs(t, "an hour of it", "spring USD 7 6.044286", "summer USD 1 4")

		r.spends(t, body(`{`+day+`,"cost":1,"filters":{"sub_id_6":"ad0"}},{`+day+`,"cost":2,"filters":{"sub_id_6":"ad1, ad2"}},`+
			`{`+day+`,"cost":3.5,"filters":{"sub_id_6":["ad3"]}}`))
		s.costs(t, "by ads", "spring USD 7 6.5", "summer USD 1 4")
		for subid, cost := range map[string]string{"c0": "0.5", "c2": "0.5", "c5": "0.5", "c6": "3.5"} {
			for _, stored := range r.clicks(t, s.endpoint) {
				if stored.subID == subid && stored.cost != cost {
					t.Errorf("%s cost %s, want %s", subid, stored.cost, cost)
				}
			}
		}
		r.spends(t, body(`{`+day+`,"cost":0}`))
		s.costs(t, "nothing", "spring USD 7 0", "summer USD 1 4")
	})
}

func TestWhatAScriptGetsWrongAboutCostsIsNamed(t *testing.T) {
	guarded(t, []string{"", ""}, func(t *testing.T, r *rig) {
		s, other := sceneOf(r, 0), sceneOf(r, 1)
		s.sevenClicks(t)
		click(`{"subid":"c","time":"2026-03-01T10:30:00Z","campaign":"theirs"}`).run(t, other)
		eventually(t, func() string { return cmp.Diff(3, len(r.campaignIDs(t))) })
		ids := r.campaignIDs(t)
		entry := `"costs":[{"start_date":"2026-03-01","end_date":"2026-03-01","cost":1,%s}]`
		spring := fmt.Sprintf(`"campaign_ids":[%d],`, ids["spring"])
		for body, says := range map[string]string{
			`{}`:                                   "costs: ",
			`[1]`:                                  "JSON object",
			`{` + spring + `"costs":[{"cost":1}]}`: "costs[0].start_date",
			`{` + spring + strings.Replace(fmt.Sprintf(entry, `"currency":"USD"`), "2026-03-01", "1 March", 1) + `}`: "costs[0].start_date",
			`{` + fmt.Sprintf(entry, `"timezone":"Moscow"`) + `}`:                                                    "costs[0].timezone",
			`{` + fmt.Sprintf(entry, `"currency":"USD"`) + `}`:                                                       "campaign_ids: is missing",
			`{"campaign_ids":[12],` + fmt.Sprintf(entry, `"currency":"USD"`) + `}`:                                   "campaign_ids: no campaign has the id 12",
			`{` + spring + fmt.Sprintf(entry, `"currency":"XTS"`) + `}`:                                              "costs[0].currency",
			`{` + spring + fmt.Sprintf(entry, `"filters":{"country":"DE"}`) + `}`:                                    "costs[0].params",
			`{` + spring + fmt.Sprintf(entry, `"filters":{"source":{}}`) + `}`:                                       "filters: source",
			`{` + spring + fmt.Sprintf(entry, `"only_campaign_uniques":"maybe"`) + `}`:                               "only_campaign_uniques",
			`{` + spring + strings.Replace(fmt.Sprintf(entry, `"currency":"USD"`), `"cost":1`, `"cost":-1`, 1) + `}`: "costs[0].amount",
			`{` + fmt.Sprintf(`"campaign_ids":[%d,%d],`, ids["spring"], ids["theirs"]) +
				fmt.Sprintf(entry, `"currency":"USD"`) + `}`: "several endpoints",
		} {
			status, _, text := r.asScript(t, adminCostKey, http.MethodPost, "/admin_api/v1/clicks/update_costs", body)
			if status != http.StatusBadRequest || !strings.Contains(text, says) {
				t.Errorf("%s: %d %s, want %s", body, status, text, says)
			}
		}
		if status, _, _ := r.asScript(t, adminCostKey, http.MethodGet, "/admin_api/v1/campaigns", ""); status != http.StatusOK {
			t.Errorf("the key for costs does not read: %d", status)
		}
		s.costs(t, "after all that", "spring USD 7 63", "summer USD 1 4", "theirs USD 1 0")
	})
}
