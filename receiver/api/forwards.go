package api

import (
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
		State:        string(r.State),
		Reason:       read.Text(r.Reason),
		CreatedAt:    read.UTC(r.Created),
		EndedAt:      read.UTC(r.Ended),
		Tries:        r.Tries,
		Attempts:     make([]read.Attempt, len(r.Attempts)),
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

func (a *api) forwards(w http.ResponseWriter, r *http.Request) error {
	f, err := parseFilters(r.URL.RawQuery, forwardFilters)
	if err != nil {
		return err
	}
	selected := f.outbox()
	selected.Limit++
	id := func(row ledger.OutboxRow) uuid.UUID { return row.ID }
	return writePage(w, a.Store.Forwards(r.Context(), selected), f.limit, id, viewForward)
}

// resendForward makes a failed S2S postback wait again.
func (a *api) resendForward(w http.ResponseWriter, r *http.Request) error {
	if _, err := parseFilters(r.URL.RawQuery, noFilters); err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return badRequest("id: must be an S2S postback's id, a UUID")
	}
	switch err = a.Store.ResendForward(r.Context(), id, a.Clock()); {
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

// showForward answers with one S2S postback, and wakes whoever sends it.
func (a *api) showForward(w http.ResponseWriter, r *http.Request, id uuid.UUID) error {
	for row, err := range a.Store.Forwards(r.Context(), ledger.OutboxFilter{ID: id, Limit: 1}) {
		if err != nil {
			return err
		}
		a.Resent([]string{row.Host})
		WriteJSON(w, http.StatusAccepted, viewForward(row))
		return nil
	}
	return ledger.ErrNotFound
}
