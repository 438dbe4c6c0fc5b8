package operate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/output"
)

// tell prints an operation, in text with its first rows.
func (w *work) tell(ctx context.Context, op read.Operation, rows int) error {
	switch w.format {
	case output.JSON, output.YAML:
		return output.Document(w.cmd.OutOrStdout(), w.format, op)
	case output.Name:
		return output.Write(w.cmd, op.ID+"\n")
	}
	if rows > 0 && len(op.Outcomes) > 0 {
		shown, err := w.rowsOf(ctx, op.ID, "", rows)
		if err != nil {
			return err
		}
		if err := output.Write(w.cmd, tableOf(shown)); err != nil {
			return err
		}
		if op.Total != nil && *op.Total > len(shown) {
			more := fmt.Sprintf("… and %d more: kubectl postback operations rows %s %s\n", *op.Total-len(shown), w.endpoint,
				op.ID)
			if err := output.Write(w.cmd, more); err != nil {
				return err
			}
		}
	}
	return output.Write(w.cmd, output.Printable(summary(op))+"\n")
}

// summary says what became of an operation in a line.
func summary(op read.Operation) string {
	head := op.Kind
	switch op.State {
	case tried:
		head += " (dry run)"
	case running, failed, cancelled:
		head += " (" + op.State + ")"
	}
	total := "?"
	if op.Total != nil {
		total = strconv.Itoa(*op.Total)
	}
	parts := []string{head + ": " + total + map[bool]string{true: " row", false: " rows"}[total == "1"]}
	if counts := counted(op.Outcomes); counts != "" {
		parts[0] += " → " + counts
	}
	if reasons := counted(op.Reasons); reasons != "" {
		parts = append(parts, "because of "+reasons)
	}
	for _, money := range op.Money {
		sign := ""
		if !strings.HasPrefix(money.Amount, "-") {
			sign = "+"
		}
		parts = append(parts, sign+money.Amount+" "+money.Currency+" "+money.Metric)
	}
	if due := counted(op.Forwards); due != "" {
		parts = append(parts, "S2S: "+due)
	}
	if e := op.Erased; e != nil {
		parts = append(parts, fmt.Sprintf("erased from %d clicks, %d versions of conversions, %d postbacks, %d held, "+
			"%d S2S postbacks, %d lines", e.Clicks, e.Conversions, e.Postbacks, e.Held, e.Forwards, e.Lines))
	}
	if op.Clicks != nil {
		parts = append(parts, fmt.Sprintf("%d clicks have a new cost", *op.Clicks))
	}
	return strings.Join(parts, "; ")
}

// counted writes counts by name, the names in their order.
func counted(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(parts, ", ")
}

func tableOf(rows []read.OperationRow) string {
	cells := make([][]string, len(rows))
	for i, row := range rows {
		tid := row.TID
		cells[i] = []string{
			strconv.Itoa(row.Number), output.Or(row.SubID), output.Or(&tid), before(row), became(row),
		}
	}
	return output.Table([]string{"ROW", "SUBID", "TID", "BEFORE", "AFTER"}, cells)
}

// before is the conversion that a row found.
func before(row read.OperationRow) string {
	if row.PreviousType == nil {
		return "-"
	}
	return valued(row.PreviousType, row.PreviousPayout, row.Currency)
}

// became is the outcome of a row, with the conversion that it makes or the reason why it makes none.
func became(row read.OperationRow) string {
	parts := []string{output.Or(row.Outcome)}
	if row.Reason != nil {
		parts = append(parts, *row.Reason)
	}
	if row.Type != nil {
		parts = append(parts, valued(row.Type, row.Payout, row.Currency))
	}
	return strings.Join(parts, " ")
}

func valued(kind, payout, currency *string) string {
	parts := []string{output.Or(kind)}
	if payout != nil {
		parts = append(parts, *payout)
		if currency != nil {
			parts = append(parts, *currency)
		}
	}
	return strings.Join(parts, " ")
}
