// Package show has the commands that read what receivers received and recorded. They change nothing.
package show

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// Env is what the commands need.
type Env struct {
	Reach *reach.Flags
	Clock func() time.Time
	// Resend and Operations change something: they stand below the lists `forwards` and `operations`.
	Resend     *cobra.Command
	Operations []*cobra.Command
}

// New returns the commands.
func New(env Env) []*cobra.Command {
	return []*cobra.Command{
		newStatus(env), newURL(env), newLog(env), newExplain(env), newStatuses(env), newReport(env), newClicks(env),
		newForwards(env), newOperations(env),
	}
}

// ask runs a question to a receiver of an endpoint, and makes its error one for people.
func (e Env) ask(cmd *cobra.Command, argument string,
	question func(ctx context.Context, receiver *reach.Receiver, endpoint string) error) error {
	if err := e.Reach.Check(); err != nil {
		return err
	}
	endpoint, err := e.Reach.Name(argument)
	if err != nil {
		return err
	}
	receiver, err := e.Reach.Receiver(cmd.Context(), endpoint)
	if err != nil {
		return err
	}
	defer receiver.Close()
	return reach.Explain(question(cmd.Context(), receiver, endpoint))
}

// selection are the flags that choose rows of a list.
type selection struct {
	since      time.Duration
	from, to   string
	subid, tid string
	filters    []string
	limit      int
	separate   bool
}

// flags adds the flags of a list. A list by the order of the store's keys has no times.
func (s *selection) flags(cmd *cobra.Command, timed bool) {
	set := cmd.Flags()
	if timed {
		set.DurationVar(&s.since, "since", 0, "only the last ones of this long, such as 30m or 24h")
		set.StringVar(&s.from, "from", "", "only from this moment on: RFC 3339, or a date in UTC")
		set.StringVar(&s.to, "to", "", "only before this moment")
		set.StringVar(&s.tid, "tid", "", "only of this transaction id")
	}
	set.StringVar(&s.subid, "subid", "", "only of this click")
	set.StringArrayVar(&s.filters, "filter", nil, "only rows that pass `FIELD OP VALUE`; may be given several times")
	set.IntVar(&s.limit, "limit", 20, "how many rows, the latest; 0 is all")
	set.BoolVar(&s.separate, "semicolon", false, "-o csv for Excel: cells parted by semicolons, and a BOM")
}

// parameters returns the selection as those of the API.
func (s *selection) parameters(endpoint string, now time.Time) (url.Values, error) {
	v := url.Values{"endpoint": {endpoint}}
	switch {
	case s.since < 0:
		return nil, exit.WithUsage(errors.New("--since: must not be negative"))
	case s.since > 0 && s.from != "":
		return nil, exit.WithUsage(errors.New("say either --since or --from"))
	case s.since > 0:
		v.Set("from", now.Add(-s.since).UTC().Format(time.RFC3339))
	}
	if s.limit < 0 {
		return nil, exit.WithUsage(errors.New("--limit: must not be negative"))
	}
	for name, value := range map[string]string{"from": s.from, "to": s.to, "subid": s.subid, "tid": s.tid} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for _, filter := range s.filters {
		v.Add("filter", filter)
	}
	return v, nil
}

// pageSize is how many rows are asked for at a time.
const pageSize = 1000

// collect reads up to limit rows of a list; 0 is all.
func collect[T any](rows func(url.Values) func(func(T, error) bool), parameters url.Values, limit int) ([]T, error) {
	size := pageSize
	if limit > 0 {
		size = min(limit, pageSize)
	}
	parameters.Set("limit", strconv.Itoa(size))
	found := []T{}
	for row, err := range rows(parameters) {
		if err != nil {
			return nil, err
		}
		if found = append(found, row); len(found) == limit {
			break
		}
	}
	return found, nil
}

// column is one of a table.
type column[T any] struct {
	heading string
	wide    bool // only with -o wide
	cell    func(T) string
}

// table is how a list is printed.
type table[T any] struct {
	columns []column[T]
	id      func(T) string // for -o name
	outcome func(T) string // for colours
	none    string         // what is said when there are no rows
	// ascending: the API gives the first row first, as the table has it.
	ascending bool
}

// list is what -o json and -o yaml have.
type list[T any] struct {
	Items []T `json:"items"`
}

// print prints the rows. In text the latest is the last, as in a log.
func (t table[T]) print(cmd *cobra.Command, style output.Style, format output.Format, rows []T) error {
	switch format {
	case output.JSON, output.YAML:
		return output.Document(cmd.OutOrStdout(), format, list[T]{rows})
	case output.Name:
		ids := make([]string, len(rows))
		for i, row := range rows {
			ids[i] = t.id(row)
		}
		return output.Write(cmd, output.Lines(ids))
	}
	if len(rows) == 0 {
		return output.Notes(cmd, t.none+"\n")
	}
	rows = slices.Clone(rows)
	if !t.ascending {
		slices.Reverse(rows)
	}
	heading, cells := t.cells(format, rows)
	return output.Write(cmd, output.Painted(heading, cells, func(i int, line string) string {
		return style.Outcome(t.outcome(rows[i]), line)
	}))
}

func (t table[T]) cells(format output.Format, rows []T) (heading []string, cells [][]string) {
	cells = make([][]string, len(rows))
	for _, column := range t.columns {
		if column.wide && format != output.Wide {
			continue
		}
		heading = append(heading, column.heading)
		for i, row := range rows {
			cells[i] = append(cells[i], column.cell(row))
		}
	}
	return heading, cells
}

// stream copies a table of the receiver to stdout.
func stream(ctx context.Context, cmd *cobra.Command, receiver *reach.Receiver, resource string, parameters url.Values,
	s *selection) error {
	parameters.Del("limit")
	if s.limit > 0 {
		parameters.Set("limit", strconv.Itoa(min(s.limit, pageSize)))
		if s.limit > pageSize {
			return exit.WithUsage(fmt.Errorf("--limit: a table has up to %d rows, or all with --limit 0", pageSize))
		}
	}
	if s.separate {
		parameters.Set("separator", ";")
		parameters.Set("bom", "1")
	}
	rows, err := receiver.Stream(ctx, resource, parameters)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	if _, err := io.Copy(cmd.OutOrStdout(), rows); err != nil {
		return fmt.Errorf("the table broke off, what is printed is not all: %w", err)
	}
	return nil
}
