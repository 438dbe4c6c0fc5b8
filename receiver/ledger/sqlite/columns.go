package sqlite

import (
	"fmt"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/ledger/table"
)

// The columns that a batch reads. It knows the endpoint.
var (
	clickColumns      = table.Clicks.Without("endpoint")
	conversionColumns = table.Conversions.Without("endpoint")
	receivedColumns   = table.Received.Without("endpoint")
	heldColumns       = table.Held.Without("endpoint")
)

// settledColumns are those of a received row that a held postback's end changes, after its key.
var settledColumns = table.Received.Pick("endpoint", "id", "outcome", "reason", "warnings", "conversion", "test")

// changedConversion are the columns that a new version may change: never the id, the slot and the creation, which
// indexes hold.
var changedConversion = table.Conversions.Without("endpoint", "subid", "tid", "slot_type", "id", "created_at")

// columnLists are for the texts of statements: {clicks} stands for the columns that are read of clicks.
var columnLists = strings.NewReplacer(
	"{clicks}", table.Names("", clickColumns),
	"{conversions}", table.Names("", conversionColumns),
	"{received}", table.Names("", receivedColumns),
	"{held}", table.Names("", heldColumns),
	"{outbox}", named(table.Outbox),
)

// named lists the columns of table t, with the endpoint's name in the place of its number.
func named[R any](t table.Table[R]) string {
	return "(select name from endpoints e where e.id = t.endpoint), " + table.Names("t.", t.Columns[1:])
}

// insert returns the statement that adds a row, with numbered parameters for the columns.
func insert[R any](t table.Table[R]) string {
	return fmt.Sprintf("insert into %s (%s) values (?%s)", t.Name, table.Names("", t.Columns),
		strings.Repeat(", ?", len(t.Columns)-1))
}

// assign sets columns to values of that prefix: "excluded." before their names, or "?" before numbers from first on.
func assign[R any](prefix string, columns []table.Column[R], first int) string {
	set := make([]string, len(columns))
	for i, c := range columns {
		value := prefix + c.Name
		if prefix == "?" {
			value = fmt.Sprint(prefix, first+i)
		}
		set[i] = c.Name + " = " + value
	}
	return strings.Join(set, ", ")
}
