package acceptance

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/api/read/client"
)

func TestTheClientAsksForEverything(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r, id := shop(t, e)
		c := client.New(r.ops, "", nil)
		var queries []string
		for row, err := range client.All(t.Context(), c.Postbacks,
			url.Values{"limit": {"4"}, "filter": {"outcome eq ignored"}}) {
			if err != nil {
				t.Fatal(err)
			}
			queries = append(queries, row.Query)
		}
		if len(queries) != 3 || !strings.Contains(queries[2], "approve") {
			t.Errorf("%v", queries)
		}
		clicks, err := c.Clicks(t.Context(), url.Values{"endpoint": {"default/shop"}})
		if err != nil || len(clicks.Items) != 2 {
			t.Errorf("%+v, %v", clicks, err)
		}
		one, err := c.Click(t.Context(), "default/shop", "c1")
		if err != nil || len(one.Conversions) != 1 || one.Conversions[0].ID != id {
			t.Errorf("%+v, %v", one, err)
		}
		explained, err := c.Explain(t.Context(), url.Values{"endpoint": {"default/shop"},
			"query": {"subid=c1&status=approve"}})
		if err != nil || or(explained.Reason, "") != "status_unknown" {
			t.Errorf("%+v, %v", explained, err)
		}
		words, err := c.Statuses(t.Context(), nil)
		if err != nil || len(words.Items) != 2 {
			t.Errorf("%+v, %v", words, err)
		}
	})
}

func TestTheClientSaysWhatTheReceiverRefuses(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r, id := shop(t, e)
		c := client.New(r.ops, "", nil)
		var failure *client.Failure
		if _, err := c.Revenue(t.Context(), url.Values{"to": {"soon"}}); !errors.As(err, &failure) ||
			failure.Status != http.StatusBadRequest ||
			!strings.HasPrefix(failure.Message, "to: ") {
			t.Errorf("%v", err)
		}
		if _, err := c.Resend(t.Context(), id); !errors.As(err, &failure) || failure.Status != http.StatusForbidden {
			t.Errorf("%v", err)
		}
	})
}

func TestTheClientStreamsATable(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		r, _ := shop(t, e)
		table, err := client.New(r.ops, "", nil).Stream(t.Context(), "conversions.csv", url.Values{"filter": {"subid eq c2"}})
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(table)
		if err := errors.Join(err, table.Close()); err != nil || strings.Count(string(text), "\n") != 2 {
			t.Errorf("%s %v", text, err)
		}
	})
}

// onEach runs a test for each engine.
func onEach(t *testing.T, test func(*testing.T, engine)) {
	t.Helper()
	for _, e := range []engine{sqlite, postgres} {
		t.Run(e.name, func(t *testing.T) { test(t, e) })
	}
}
