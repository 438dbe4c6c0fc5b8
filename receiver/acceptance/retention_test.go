package acceptance

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// keptRow is a row of the table of the ledger's page: a table's name, its rule, and the tests that hold it.
var keptRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (.{10,}) \\|((?: `test[A-Za-z]+`)*) \\|$")

// TestEveryTableHasARetention compares the tables of both stores with those that the ledger's page has a rule for. A
// partition has that of its table. The tests that it names are tests of the suite that both stores pass.
func TestEveryTableHasARetention(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "ledger", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	suite, err := os.ReadFile(filepath.Join("..", "ledger", "ledgertest", "ledgertest.go"))
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]string{}
	for _, row := range keptRow.FindAllStringSubmatch(string(page), -1) {
		rules[row[1]] = row[2]
		for _, test := range strings.Fields(row[3]) {
			if name := strings.Trim(test, "`"); !strings.Contains(string(suite), ", "+name+"}") {
				t.Errorf("%s: the suite of all stores does not run %s", row[1], name)
			}
		}
		if row[3] == "" && !slices.Contains([]string{"endpoints", "heartbeat", "postback_schema"}, row[1]) {
			t.Errorf("%s: no test", row[1])
		}
	}
	for _, e := range []struct {
		engine
		query, others string
	}{
		{sqlite, "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'",
			"of PostgreSQL only"},
		{postgres, "select convert_to(relname, 'UTF8') from pg_class where relkind in ('r', 'p') and not relispartition " +
			"and relnamespace = 'public'::regnamespace", "of the embedded store only"},
	} {
		t.Run(e.name, func(t *testing.T) {
			r := startWith(t, e.engine, declare(t, []string{""}), opsToken)
			var there, want []string
			for _, name := range r.column(t, e.query) {
				there = append(there, string(name))
			}
			for _, name := range slices.Sorted(maps.Keys(rules)) {
				if !strings.HasSuffix(rules[name], e.others) {
					want = append(want, name)
				}
			}
			slices.Sort(there)
			if diff := cmp.Diff(want, there); diff != "" {
				t.Errorf("tables with a rule (-) and tables of the store (+):\n%s", diff)
			}
		})
	}
}
