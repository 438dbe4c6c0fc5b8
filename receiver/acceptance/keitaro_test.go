package acceptance

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// adminKey is that of Keitaro's Admin API.
const adminKey = "key-of-the-scripts-9f4c2a7d"

// adminCostKey is that of scripts which also update costs.
const adminCostKey = "key-of-the-cost-scripts-51d0e8b3"

// asScript sends a request as a script does, and returns the answer.
func (r *rig) asScript(t *testing.T, key, method, path, body string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.admin+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Api-Key", key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, strings.TrimSpace(string(text))
}

// rowsOf returns the rows and the total of an answer.
func rowsOf(t *testing.T, status int, text string) (rows []map[string]any, total int) {
	t.Helper()
	var answer struct {
		Rows  []map[string]any `json:"rows"`
		Total int              `json:"total"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	return answer.Rows, answer.Total
}

func TestScriptsOfKeitaroKeepWorking(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r, conversionID := shop(t, e)
		ask := func(t *testing.T, path, body string) ([]map[string]any, int) {
			status, _, text := r.asScript(t, adminKey, http.MethodPost, "/admin_api/v1/"+path, body)
			return rowsOf(t, status, text)
		}
		t.Run("a script that syncs campaigns by day", func(t *testing.T) {
			rows, total := ask(t, "report/build", `{"range":{"from":"2026-03-01","to":"2026-03-01",
				"timezone":"Europe/Moscow"},"columns":["campaign","campaign_id","cost","revenue"],
				"metrics":["clicks","conversions","roi_confirmed"],"grouping":["campaign_id"],"filters":[],
				"summary":false,"limit":100000,"offset":0,"extended":true,"sort":[{"name":"revenue","order":"desc"}]}`)
			var lines []string
			for _, row := range rows {
				lines = append(lines, row["campaign"].(string))
			}
			if total != 2 || !cmp.Equal(lines, []string{"summer", "spring"}) || rows[0]["revenue"] != 13.75 {
				t.Errorf("%d %v", total, rows)
			}
			id := strconv.FormatFloat(rows[0]["campaign_id"].(float64), 'f', 0, 64)
			rows, total = ask(t, "report/build", `{"range":{"interval":"today"},"measures":["clicks"],
				"dimensions":["sub_id_3"],"filters":[{"name":"campaign_id","operator":"equals","expression":"`+id+`"}]}`)
			if total != 1 || rows[0]["sub_id_3"] != "x" || rows[0]["clicks"] != 1.0 {
				t.Errorf("%v", rows)
			}
		})
		t.Run("a script that pages through the conversions", func(t *testing.T) {
			body := `{"range":{"from":"2026-03-01 00:00:00","to":"2026-03-01 23:59:59","timezone":"UTC"},"limit":1,
				"columns":["conversion_id","sub_id","status","previous_status","revenue","postback_datetime","sub_id_3"],
				"sort":[{"name":"postback_datetime","order":"DESC"}],"offset":`
			rows, total := ask(t, "conversions/log", body+`0}`)
			want := map[string]any{"conversion_id": rows[0]["conversion_id"], "sub_id": "c2", "status": "sale",
				"previous_status": nil, "revenue": 13.75, "postback_datetime": "2026-03-01 12:02:00", "sub_id_3": "x"}
			if diff := cmp.Diff([]map[string]any{want}, rows); diff != "" || total != 2 {
				t.Errorf("%d (-want +got):\n%s", total, diff)
			}
			rows, _ = ask(t, "conversions/log", body+`1}`)
			if len(rows) != 1 || rows[0]["conversion_id"] != conversionID || rows[0]["previous_status"] != "lead" {
				t.Errorf("%v", rows)
			}
			if rows, total = ask(t, "conversions/log", body+`2}`); len(rows) != 0 || total != 2 {
				t.Errorf("%d %v", total, rows)
			}
		})
		t.Run("a script that looks for the clicks of a keyword", func(t *testing.T) {
			rows, total := ask(t, "clicks/log", `{"range":{"from":"2026-03-01","to":"2026-03-01"},
				"columns":["sub_id","datetime","keyword"],
				"filters":[{"name":"keyword","operator":"IN_LIST","expression":["shoes","boots"]}]}`)
			want := []map[string]any{{"sub_id": "c1", "datetime": "2026-03-01 11:00:00", "keyword": "shoes"}}
			if diff := cmp.Diff(want, rows); diff != "" || total != 1 {
				t.Errorf("%d (-want +got):\n%s", total, diff)
			}
			if rows, _ = ask(t, "clicks/log", `{"range":{"from":"2026-02-01","to":"2026-02-28"}}`); len(rows) != 0 {
				t.Errorf("%v", rows)
			}
		})
	})
}

func TestWhatAScriptOfKeitaroGetsWrongIsNamed(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r, _ := shop(t, e)
		for body, want := range map[string]string{
			`{"range":{"interval":"today"},"metrics":["clicks","lp_clicks","lp_ctr"]}`: `"lp_clicks\", \"lp_ctr`,
			`{"range":{"interval":"today"},"grouping":["country"]}`:                    "country",
			`{"range":{"interval":"today"},"columns":["datetime"]}`:                    "datetime",
			`{"range":{"interval":"today"},"sort":[{"name":"bots","order":"asc"}]}`:    "bots",
			`{"range":{"interval":"last_week"}}`:                                       "first_day_of_this_week",
			`{"range":{"from":"yesterday"}}`:                                           "range.from",
			`{"range":{"interval":"today","timezone":"Local"}}`:                        "range.timezone",
			`{}`: "range",
			`{"range":{"interval":"today"},"filters":[{"name":"day","operator":"BETWEEN"}]}`:                        "BETWEEN",
			`{"range":{"interval":"today"},"filters":[{"name":"campaign_id","operator":"EQUALS","expression":12}]}`: "12",
			`{"range":{"interval":"today"},"offset":-1}`:                                                            "offset",
			`[1]`: "JSON object",
		} {
			status, _, text := r.asScript(t, adminKey, http.MethodPost, "/admin_api/v1/report/build", body)
			if status != http.StatusBadRequest || !strings.Contains(text, want) {
				t.Errorf("%s: %d %s", body, status, text)
			}
		}
	})
}

func TestKeitarosAPIOnlyReads(t *testing.T) {
	r, _ := shop(t, sqlite)
	for _, c := range []struct {
		method, path, says string
		status             int
	}{
		{http.MethodPost, "/admin_api/v1/clicks/update_costs", "--admin-cost-key-file", http.StatusForbidden},
		{http.MethodGet, "/admin_api/v1/clicks/update_costs", "--admin-cost-key-file", http.StatusForbidden},
		{http.MethodPost, "/admin_api/v1/campaigns", "only reads", http.StatusMethodNotAllowed},
		{http.MethodPut, "/admin_api/v1/campaigns/12", "only reads", http.StatusMethodNotAllowed},
		{http.MethodDelete, "/admin_api/v1/offers/1", "only reads", http.StatusMethodNotAllowed},
		{http.MethodGet, "/admin_api/v1/domains", "GET campaigns", http.StatusNotFound},
		{http.MethodGet, "/api/v1/conversions", "no such resource", http.StatusNotFound},
		{http.MethodGet, "/metrics", "no such resource", http.StatusNotFound},
	} {
		if status, _, text := r.asScript(t, adminKey, c.method, c.path, "{}"); status != c.status ||
			!strings.Contains(text, c.says) {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, text)
		}
	}
}

func TestKeitarosAPIWantsItsKey(t *testing.T) {
	r, _ := shop(t, sqlite)
	braked := 0
	for range 40 {
		status, _, text := r.asScript(t, adminKey+"x", http.MethodGet, "/admin_api/v1/campaigns", "")
		switch status {
		case http.StatusTooManyRequests:
			braked++
		case http.StatusUnauthorized:
		default:
			t.Fatalf("%d %s", status, text)
		}
	}
	if braked == 0 {
		t.Error("nothing slows down who tries keys")
	}
	if status, header, text := r.asScript(t, adminKey, http.MethodGet, "/admin_api/v1/campaigns", ""); status !=
		http.StatusOK || header.Get("Cache-Control") != "no-store" || !strings.Contains(text, `"name":"spring"`) {
		t.Errorf("the right key: %d %s", status, text)
	}
	if strings.Contains(r.log.String(), adminKey) {
		t.Error("the key is in the log")
	}
}
