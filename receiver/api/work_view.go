package api

import (
	"maps"
	"slices"

	"github.com/google/uuid"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	work "github.com/postback-dev/postback-operator/receiver/operation"
)

func viewOperation(op *ledger.Operation) (read.Operation, error) {
	counts, err := work.CountsOf(op)
	view := read.Operation{
		ID:        op.ID.String(),
		Kind:      op.Kind,
		Endpoint:  read.Text(op.Endpoint),
		State:     string(op.State),
		DryRun:    op.DryRun,
		Actor:     read.Text(op.Actor),
		Note:      read.Text(op.Note),
		CreatedAt: read.UTC(op.Created),
		StartedAt: read.UTC(op.Started),
		EndedAt:   read.UTC(op.Ended),
		Done:      counts.Rows,
		Outcomes:  orEmpty(counts.Outcomes),
		Reasons:   orEmpty(counts.Reasons),
		Money:     []read.OperationMoney{},
		Forwards:  orEmpty(counts.Forwards),
		Error:     read.Text(op.Error),
	}
	if e := counts.Erased; e != nil {
		view.Erased = &read.OperationErased{
			Clicks:      e.Clicks,
			Conversions: e.Conversions,
			Postbacks:   e.Received,
			Held:        e.Held,
			Forwards:    e.Outbox,
			Lines:       e.Operations,
		}
	}
	if op.Kind == work.KindCosts {
		view.Clicks = &counts.Clicks
	}
	if op.Total >= 0 {
		view.Total = &op.Total
	}
	for _, metric := range slices.Sorted(maps.Keys(counts.Money)) {
		for _, currency := range slices.Sorted(maps.Keys(counts.Money[metric])) {
			view.Money = append(view.Money, read.OperationMoney{
				Metric: metric, Currency: currency, Amount: counts.Money[metric][currency].String(),
			})
		}
	}
	return view, err
}

func orEmpty(counts map[string]int) map[string]int {
	if counts == nil {
		return map[string]int{}
	}
	return counts
}

func viewOperationRow(row ledger.OperationRow) read.OperationRow {
	result, _ := work.ResultOf(&row) // A result that cannot be read is shown as none.
	view := read.OperationRow{
		Number:         row.Number,
		SubID:          read.Text(row.SubID),
		TID:            row.TID,
		Input:          read.Text(row.Input),
		Outcome:        read.Text(row.Outcome),
		Reason:         read.Text(row.Reason),
		Warnings:       warnings(result.Warnings),
		PreviousType:   read.Text(result.PreviousType),
		Type:           read.Text(result.Type),
		PreviousPayout: read.Text(result.PreviousPayout),
		Payout:         read.Text(result.Payout),
		Currency:       read.Text(result.Currency),
		Forwards:       append([]string{}, result.Forwards...),
	}
	if row.Origin != uuid.Nil {
		view.Origin = read.Text(row.Origin.String())
	}
	if result.Conversion != uuid.Nil {
		view.ConversionID = read.Text(result.Conversion.String())
	}
	if result.Version > 0 {
		view.Version = &result.Version
	}
	return view
}
