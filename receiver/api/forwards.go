package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func viewForward(r ledger.OutboxRow) read.Forward {
	view := read.Forward{
		ID:           r.ID.String(),
		Endpoint:     r.Slot.Endpoint,
		Rule:         r.Rule,
		Host:         r.Host,
		SubID:        r.Slot.SubID,
		TID:          r.Slot.TID,
		ConversionID: r.ConversionID.String(),
		Type:         r.Type,
		Version:      r.Version,
		Test:         r.Test,
		State:        string(r.State),
		Reason:       read.Text(r.Reason),
		CreatedAt:    read.UTC(r.Created),
		EndedAt:      read.UTC(r.Ended),
		Tries:        r.Tries,
		Attempts:     make([]read.Attempt, len(r.Attempts)),
	}
	if r.Operation != uuid.Nil {
		view.Operation = read.Text(r.Operation.String())
	}
	if r.State == ledger.ForwardWaiting {
		view.DueAt = read.UTC(r.Due)
	}
	for i, a := range r.Attempts {
		view.Attempts[i] = viewAttempt(a)
	}
	return view
}

func viewAttempt(a ledger.Attempt) read.Attempt {
	view := read.Attempt{
		At:           read.UTC(a.At),
		Milliseconds: a.Milliseconds,
		Error:        read.Text(string(a.Error)),
		URL:          read.Text(a.URL),
		Answer:       read.Text(a.Answer),
		Location:     read.Text(a.Location),
	}
	if a.Status != 0 {
		view.Status = &a.Status
	}
	return view
}

// resendForward makes a failed S2S postback wait again.
func (a *api) resendForward(w http.ResponseWriter, r *http.Request) error {
	if _, err := filtersOf(r, noFilters); err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return badRequest("id: must be an S2S postback's id, a UUID")
	}
	if err = a.mayResend(r, id); err == nil {
		err = a.Store.ResendForward(r.Context(), id, uuid.Nil, a.Clock())
	}
	switch {
	case errors.Is(err, ledger.ErrForwardState):
		WriteError(w, http.StatusConflict, "only an S2S postback that has failed can be sent again")
		return nil
	case errors.Is(err, ledger.ErrNotFound):
		WriteError(w, http.StatusNotFound, "no such S2S postback")
		return nil
	case err != nil:
		return err
	}
	a.Logger.Info("Sending an S2S postback again", "id", id)
	return a.showForward(w, r, id)
}

// mayResend reports that there is no such S2S postback for a token of another endpoint.
func (a *api) mayResend(r *http.Request, id uuid.UUID) error {
	only := grantOf(r).Endpoint
	if only == "" {
		return nil
	}
	row, err := a.forward(r.Context(), id)
	if err == nil && row.Slot.Endpoint != only {
		err = ledger.ErrNotFound
	}
	return err
}

// showForward answers with one S2S postback, and notifies the sender.
func (a *api) showForward(w http.ResponseWriter, r *http.Request, id uuid.UUID) error {
	row, err := a.forward(r.Context(), id)
	if err != nil {
		return err
	}
	a.Resent([]string{row.Host})
	WriteJSON(w, http.StatusAccepted, viewForward(row))
	return nil
}

// forward returns one S2S postback.
func (a *api) forward(ctx context.Context, id uuid.UUID) (ledger.OutboxRow, error) {
	for row, err := range a.Store.Forwards(ctx, ledger.OutboxFilter{ID: id, Limit: 1}) {
		return row, err
	}
	return ledger.OutboxRow{}, ledger.ErrNotFound
}
