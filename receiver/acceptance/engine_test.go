package acceptance

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // Reads what the read API does not show: the clicks.
	_ "modernc.org/sqlite"             // The same, of the other engine.

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// engine is a store below the receiver.
type engine struct {
	name string
	// create returns the URL of a new store, and by which driver and name the test reads it.
	create func(*testing.T) (store, driver, source string)
	// clicks reads the clicks of an endpoint: subid, campaign, fields as JSON, original cost and its currency.
	clicks string
}

var (
	sqlite = engine{
		name: "sqlite",
		create: func(t *testing.T) (store, driver, source string) {
			file := filepath.Join(t.TempDir(), "store.db")
			return "sqlite://" + file, "sqlite", "file:" + file + "?mode=ro"
		},
		clicks: `select subid, campaign, coalesce(params, '{}'), coalesce(cost_original, ''), coalesce(cost_original_currency, '')
			from clicks where endpoint = (select id from endpoints where name = $1)`,
	}
	postgres = engine{
		name: "postgres",
		create: func(t *testing.T) (store, driver, source string) {
			dsn := pgtest.Shared(t).NewDatabase(t)
			return dsn, "pgx", dsn
		},
		clicks: `select subid, campaign, coalesce(params, '{}')::text, coalesce(trim_scale(cost_original)::text, ''),
			coalesce(cost_original_currency, '') from clicks where endpoint = $1 and present`,
	}
)

// onBothEngines runs a test on either store, with further rates.
func onBothEngines(
	t *testing.T, endpoints []config.Endpoint, test func(*testing.T, *rig), rates ...config.FixedRate,
) {
	t.Helper()
	for _, e := range []engine{sqlite, postgres} {
		t.Run(e.name, func(t *testing.T) { test(t, startOn(t, e, endpoints, rates...)) })
	}
}

// storedClick is a click as the store has it.
type storedClick struct {
	subID, campaign, cost, currency string
	params                          map[string]string
}

// String tells a click in one line: its campaign, its cost, its fields.
func (c storedClick) String() string {
	parts := []string{c.campaign}
	if c.cost != "" {
		parts = append(parts, "cost "+c.cost+" "+c.currency)
	}
	if len(c.params) > 0 {
		parts = append(parts, fmt.Sprint(c.params))
	}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
}

// clicks returns the clicks of an endpoint.
func (r *rig) clicks(t *testing.T, endpoint string) []storedClick {
	t.Helper()
	rows, err := r.db.QueryContext(t.Context(), r.engine.clicks, endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []storedClick
	for rows.Next() {
		var c storedClick
		var campaign sql.NullString
		var params string
		if err := rows.Scan(&c.subID, &campaign, &params, &c.cost, &c.currency); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(params), &c.params); err != nil {
			t.Fatal(err)
		}
		c.campaign = campaign.String
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// clickParams returns the click's fields.
func (r *rig) clickParams(t *testing.T, endpoint, subid string) map[string]string {
	t.Helper()
	for _, c := range r.clicks(t, endpoint) {
		if c.subID == subid {
			return c.params
		}
	}
	t.Fatalf("no click %s", subid)
	return nil
}
