// Package output prints what commands answer: for people as text, for programs by -o.
package output

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/postback-dev/postback-operator/cli/exit"
)

// Format is a value of -o. The empty one is text for people.
type Format string

// The formats.
const (
	Text Format = ""
	Wide Format = "wide"
	JSON Format = "json"
	YAML Format = "yaml"
	Name Format = "name"
	// CSV is the table that the receiver writes.
	CSV Format = "csv"
	// Patch is a change of a declaration.
	Patch Format = "patch"
)

// Flag adds -o to a command that knows the given formats besides Text.
func Flag(cmd *cobra.Command, format *Format, known ...Format) {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = string(f)
	}
	usage := "output format: " + strings.Join(names, "|")
	cmd.Flags().StringVarP((*string)(format), "output", "o", "", usage)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if *format != Text && !slices.Contains(known, *format) {
			return exit.WithUsage(fmt.Errorf("-o %s: use %s", *format, strings.Join(names, ", ")))
		}
		return nil
	}
}

// Data writes a value as JSON or YAML. Its field names are the value's tags.
func Data(out io.Writer, format Format, value any) error {
	if format == JSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false) // URLs are read by people, too
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
	encoder := yaml.NewEncoder(out)
	encoder.SetIndent(2)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	return encoder.Close()
}

// Table returns rows in aligned columns below a heading, and nothing without rows.
func Table(heading []string, rows [][]string) string { return Painted(heading, rows, nil) }

// Painted is Table with colours: paint gets the number of a row and its line, and returns the line. Cells are made
// printable, because strangers may have written them.
func Painted(heading []string, rows [][]string, paint func(row int, line string) string) string {
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = Printable(cell)
		}
		_, _ = io.WriteString(w, strings.Join(cells, "\t")+"\n") // a builder takes everything
	}
	_ = w.Flush()
	var trimmed strings.Builder
	row := -1 // the heading
	for line := range strings.Lines(b.String()) {
		line = strings.TrimRight(line, " \n")
		if paint != nil && row >= 0 {
			line = paint(row, line)
		}
		trimmed.WriteString(line + "\n")
		row++
	}
	return trimmed.String()
}

// Write writes a text to stdout.
func Write(cmd *cobra.Command, text string) error {
	_, err := io.WriteString(cmd.OutOrStdout(), text)
	return err
}

// Notes writes a text to stderr, where it does not get into a pipe.
func Notes(cmd *cobra.Command, text string) error {
	_, err := io.WriteString(cmd.ErrOrStderr(), text)
	return err
}

// Lines returns each item on a line of its own.
func Lines(items []string) string {
	if len(items) == 0 {
		return ""
	}
	return strings.Join(items, "\n") + "\n"
}
