package acceptance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The endpoints of docs/semantics.md §9, each with the click c1 and one rule that forwards everything.
const (
	usual = iota
	withAliases
	withMissingStatusSale
)

const forwardAll = `"forwards":[{"name":"all","url":"https://source.example/?s={subid}","method":"GET","resend":"OnAnyChange"}]`

var exampleConfigs = []string{
	usual:                 `{` + forwardAll + `}`,
	withAliases:           `{` + forwardAll + `,"aliases":{"subid":["clickid"],"status":["type"]}}`,
	withMissingStatusSale: `{` + forwardAll + `,"policies":{"missingStatus":"sale"}}`,
}

// examples are the rows of docs/semantics.md §9, in their order. Slot is the one slot that the row changes, as told by
// conversion.String; empty: nothing changes.
var examples = []struct {
	row      string
	endpoint int
	request  request
	slot     string
	s2s      string
}{
	{row: "1", request: get("subid=c1&status=lead&payout=10", "recorded"), slot: `"": lead 10`, s2s: "lead"},
	{row: "2", request: get("subid=c1&status=lead&payout=10", "duplicate")},
	{row: "3", request: get("subid=c1&status=sale&payout=10", "recorded"),
		slot: `"": sale 10, was lead, warns overwrote_other_type`, s2s: "sale"},
	{row: "4", request: get("subid=c1&status=sale&tid=2", "recorded"), slot: `"2": sale 0`, s2s: "sale"},
	{
		row: "5",
		request: get("subid=c1&status=new&registration_status=new,registered&sale_status=billed"+
			"&rejected_status=canceled,fake&tid=3", "recorded"),
		slot: `"3": registration 0, from new`, s2s: "registration",
	},
	{
		row: "6",
		request: get("subid=c1&status=trash&lead_status=hold&sale_status=approved&rejected_status=rejected,trash&tid=4",
			"recorded"),
		slot: `"4": rejected 0, from trash`, s2s: "rejected",
	},
	{row: "7", request: get("subid=c1", "ignored; reason=status_missing")},
	{row: "8", request: get("subid=c1&status=foo", "ignored; reason=status_unknown")},
	{row: "9", request: get("subid={subacc4}&status=sale", "ignored; reason=subid_unresolved_macro")},
	{row: "10", endpoint: withAliases, request: get("clickid=c1&type=sale&profit=5", "recorded"), slot: `"": sale 5`,
		s2s: "sale"},
	{
		row: "11", request: get("subid=c1&status=sale&payout=10&currency=eur&tid=9", "recorded"),
		slot: `"9": sale 11 = 10 EUR × 1.1`, s2s: "sale",
	},
	{
		row: "12",
		request: request{
			query: "return=jsonp&status=lead&utm_x=1&revenue=7&sub_id=c1&status=sale&tid=55", outcome: "recorded",
			text: `KTracking.response("Success");`, textType: "application/javascript",
		},
		slot: `"55": sale 7, map[utm_x:1]`, s2s: "sale",
	},
	{row: "13", request: request{method: http.MethodPost, query: "revenue=100&currency=usd&subid=c1",
		outcome: "ignored; reason=status_missing"}},
	{
		row: "13 with missingStatus: sale", endpoint: withMissingStatusSale,
		request: request{method: http.MethodPost, query: "revenue=100&currency=usd&subid=c1", outcome: "recorded"},
		slot:    `"": sale 100, from nothing`, s2s: "sale",
	},
	{row: "14", request: get("subid=c1&status=2&lead_status=2%2C5&sale_status=1&tid=6", "recorded"),
		slot: `"6": lead 0, from 2`, s2s: "lead"},
	{
		row: "15", request: get("subid=c1&status=sale&payout=12.5,&currency=rub,usd,eur&tid=7", "recorded"),
		slot: `"7": sale ? = 12.5 RUB,USD,EUR × ?, warns currency_unknown`, s2s: "sale",
	},
	{row: "16", request: get("subid=c1&status=rejected", "recorded"),
		slot: `"": rejected 10, was sale, warns overwrote_other_type`, s2s: "rejected"},
	{row: "17", request: get("subid=c1&status=sale&payout=-3&tid=adj1", "recorded"), slot: `"adj1": sale -3`, s2s: "sale"},
	{
		row: "18", request: get("subid=c1&status=sale&sub_id_3=abc&keyword=kw&sub_id_31=z&tid=8", "recorded"),
		slot: `"8": sale 0, map[keyword:kw sub_id_3:abc sub_id_31:z]`, s2s: "sale",
	},
}

func TestTheExamplesOfTheSemantics(t *testing.T) {
	onBothEngines(t, declare(t, exampleConfigs), playExamples)
}

func playExamples(t *testing.T, r *rig) {
	scenes := make([]*scene, len(exampleConfigs))
	for i := range scenes {
		scenes[i] = sceneOf(r, i)
		click(`{"subid":"c1","keyword":"old","sub_id_4":"kept"}`).run(t, scenes[i])
	}
	slots, forwards := map[string]string{}, make([][]string, len(scenes))
	for _, row := range examples {
		t.Run("row "+row.row, func(t *testing.T) {
			scene := scenes[row.endpoint]
			row.request.run(t, scene)
			if row.slot != "" {
				slots[slotID(scene, row.slot)] = row.slot
				forwards[row.endpoint] = append(forwards[row.endpoint], row.s2s)
			}
			got := map[string]string{}
			for _, scene := range scenes {
				for _, told := range scene.conversions(t, scene.endpoint) {
					got[slotID(scene, told)] = told
				}
			}
			if diff := cmp.Diff(slots, got); diff != "" {
				t.Errorf("slots (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(forwards[row.endpoint], scene.forwards(t, scene.endpoint), equalEmpty); diff != "" {
				t.Errorf("S2S postbacks due (-want +got):\n%s", diff)
			}
		})
	}
	want := map[string]string{"keyword": "kw", "sub_id_3": "abc", "sub_id_4": "kept"}
	if diff := cmp.Diff(want, r.clickParams(t, scenes[usual].endpoint, "c1")); diff != "" {
		t.Errorf("the click after row 18 (-want +got):\n%s", diff)
	}
}

// slotID names a slot of a scene by its endpoint and the quoted tid with which a told conversion begins.
func slotID(s *scene, told string) string {
	tid, _, _ := strings.Cut(told, ": ")
	return s.endpoint + " " + tid
}
