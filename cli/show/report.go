package show

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// reportFlags are the parameters of a report.
type reportFlags struct {
	said    map[string]*string
	filters []string
	since   time.Duration
	limit   int
	excel   bool
	format  output.Format
}

func newReport(env Env) *cobra.Command {
	f := reportFlags{said: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   "report ENDPOINT",
		Short: "Group and sum clicks and conversions",
		Long: "Group and sum clicks and conversions. docs/reports.md has the dimensions, and the metrics with their " +
			"formulas.",
		Example: "  kubectl postback report shop --group day,campaign --tz Europe/Moscow\n" +
			"  kubectl postback report shop --group source --metrics clicks,sales,profit --sort=-profit -o csv",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: env.Reach.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.ask(cmd, args[0], func(ctx context.Context, r *reach.Receiver, endpoint string) error {
				return f.run(ctx, env, cmd, r, endpoint)
			})
		},
	}
	for name, usage := range map[string]string{
		"group":    "up to three dimensions, separated by commas",
		"metrics":  "columns, separated by commas; without it the main ones",
		"time":     "by which time conversions count: click|conversion",
		"tz":       "time zone of days and hours, such as Europe/Moscow",
		"from":     "first moment: a date of the time zone, or RFC 3339; without it seven days back",
		"to":       "first moment after",
		"currency": "converts all amounts by the rates of today",
		"sort":     "a group or a metric; with a minus in front the greatest first",
	} {
		f.said[name] = cmd.Flags().String(name, "", usage)
	}
	cmd.Flags().DurationVar(&f.since, "since", 0, "in place of --from: the last so long, such as 24h")
	cmd.Flags().StringArrayVar(&f.filters, "filter", nil,
		"only what passes `FIELD OP VALUE`; may be given several times")
	cmd.Flags().IntVar(&f.limit, "limit", 0, "how many rows, up to 10000; 0 is the receiver's own limit")
	cmd.Flags().BoolVar(&f.excel, "semicolon", false, "-o csv for Excel: cells parted by semicolons, and a BOM")
	output.Flag(cmd, &f.format, output.JSON, output.YAML, output.CSV)
	return cmd
}

func (f *reportFlags) parameters(endpoint string, now time.Time) (url.Values, error) {
	v := url.Values{"endpoint": {endpoint}, "filter": f.filters}
	for name, value := range f.said {
		if *value != "" {
			v.Set(name, *value)
		}
	}
	switch {
	case f.since < 0, f.limit < 0:
		return nil, exit.WithUsage(errors.New("--since and --limit must not be negative"))
	case f.since > 0 && *f.said["from"] != "":
		return nil, exit.WithUsage(errors.New("say either --since or --from"))
	case f.since > 0:
		v.Set("from", now.Add(-f.since).UTC().Format(time.RFC3339))
	}
	if f.limit > 0 {
		v.Set("limit", strconv.Itoa(f.limit))
	}
	return v, nil
}

func (f *reportFlags) run(ctx context.Context, env Env, cmd *cobra.Command, r *reach.Receiver, endpoint string) error {
	parameters, err := f.parameters(endpoint, env.Clock())
	if err != nil {
		return err
	}
	if f.format == output.CSV {
		return stream(ctx, cmd, r, "report.csv", parameters, &selection{separate: f.excel})
	}
	report, err := r.Report(ctx, parameters)
	if err != nil {
		return err
	}
	if f.format != output.Text {
		return output.Document(cmd.OutOrStdout(), f.format, report)
	}
	return output.Write(cmd, reportText(report))
}

// reportText writes a report with its totals, and what has to be known to read the numbers.
func reportText(report read.Report) string {
	heading := []string{}
	for _, group := range report.Groups {
		heading = append(heading, strings.ToUpper(group))
	}
	heading = append(heading, "CURRENCY")
	for _, metric := range report.Metrics {
		heading = append(heading, strings.ToUpper(metric.Name))
	}
	var rows [][]string
	add := func(row read.ReportRow, total bool) {
		var cells []string
		for i, group := range report.Groups {
			switch value := row.Groups[group]; {
			case total && i == 0:
				cells = append(cells, "TOTAL")
			case value == "":
				cells = append(cells, "-")
			default:
				cells = append(cells, value)
			}
		}
		cells = append(cells, row.Currency)
		for _, metric := range report.Metrics {
			cells = append(cells, output.Or(row.Metrics[metric.Name]))
		}
		rows = append(rows, cells)
	}
	for _, row := range report.Items {
		add(row, false)
	}
	if len(report.Groups) > 0 {
		for _, row := range report.Totals {
			add(row, true)
		}
	}
	text := output.Table(heading, rows)
	if len(rows) == 0 {
		text = "no clicks and no conversions\n"
	}
	text += "\n" + period(report)
	for _, note := range report.Footnotes {
		text += output.Printable(note) + "\n"
	}
	return text
}

// period says what the numbers are about.
func period(report read.Report) string {
	layout := "2006-01-02 15:04"
	zone, err := time.LoadLocation(report.Zone)
	if err != nil || report.From == nil || report.To == nil {
		return "conversions by the time of the " + report.Time + ", " + report.Zone + "\n"
	}
	return "from " + report.From.In(zone).Format(layout) + " to " + report.To.In(zone).Format(layout) + " " + report.Zone +
		", conversions by the time of the " + report.Time + "\n"
}
