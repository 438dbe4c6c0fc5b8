package ops

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// ForwardStatus is what the deliverer of S2S postbacks knows.
type ForwardStatus struct {
	// InFlight are the deliveries of this receiver under way.
	InFlight int
	// Counts are those of the whole store, at CountedAt; zero before the first count.
	Counts    ledger.OutboxCounts
	CountedAt time.Time
}

// forwardView is an S2S postback as the API shows it. It has no URL but those of the attempts, which leave out whatever
// may be a token.
type forwardView struct {
	ID           uuid.UUID `json:"id"`
	Endpoint     string    `json:"endpoint"`
	Rule         string    `json:"rule"`
	Host         string    `json:"host"`
	SubID        string    `json:"subid"`
	TID          string    `json:"tid"`
	ConversionID uuid.UUID `json:"conversion_id"`
	// Type and Version say what is reported: which version of the conversion.
	Type    string              `json:"type"`
	Version int                 `json:"version"`
	State   ledger.ForwardState `json:"state"`
	// Reason says why it failed; null otherwise.
	Reason    *string    `json:"reason"`
	CreatedAt *time.Time `json:"created_at"`
	// DueAt is when it is sent next; null unless it waits. EndedAt is when it was delivered or given up.
	DueAt   *time.Time `json:"due_at"`
	EndedAt *time.Time `json:"ended_at"`
	// Tries counts the attempts since it was written, or asked for again; Attempts are the last 20.
	Tries    int           `json:"tries"`
	Attempts []attemptView `json:"attempts"`
}

type attemptView struct {
	At           *time.Time `json:"at"`
	Milliseconds int64      `json:"ms"`
	Status       *int       `json:"status"`
	Error        *string    `json:"error"`
	URL          *string    `json:"url"`
	Answer       *string    `json:"answer"`
	// Location is where a redirect points, without its query; null without one.
	Location *string `json:"location"`
}

func viewForward(r ledger.OutboxRow) any {
	view := forwardView{
		ID: r.ID, Endpoint: r.Slot.Endpoint, Rule: r.Rule, Host: r.Host, SubID: r.Slot.SubID, TID: r.Slot.TID,
		ConversionID: r.ConversionID, Type: r.Type, Version: r.Version, State: r.State, Reason: text(r.Reason),
		CreatedAt: utc(r.Created), EndedAt: utc(r.Ended), Tries: r.Tries, Attempts: make([]attemptView, len(r.Attempts)),
	}
	if r.State == ledger.ForwardWaiting {
		view.DueAt = utc(r.Due)
	}
	for i, a := range r.Attempts {
		view.Attempts[i] = attemptView{
			At: utc(a.At), Milliseconds: a.Milliseconds, Error: text(string(a.Error)), URL: text(a.URL), Answer: text(a.Answer),
			Location: text(a.Location),
		}
		if a.Status != 0 {
			view.Attempts[i].Status = &a.Status
		}
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
	return writePage(w, a.store.Forwards(r.Context(), selected), f.limit, id, viewForward)
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
	switch err = a.store.ResendForward(r.Context(), id, a.clock()); {
	case errors.Is(err, ledger.ErrForwardState):
		writeError(w, http.StatusConflict, "only an S2S postback that has failed can be sent again")
		return nil
	case errors.Is(err, ledger.ErrNotFound):
		writeError(w, http.StatusNotFound, "no such S2S postback")
		return nil
	case err != nil:
		return err
	}
	a.logger.Info("Sending an S2S postback again", "id", id)
	return a.showForward(w, r, id)
}

// showForward answers with one S2S postback, and wakes whoever sends it.
func (a *api) showForward(w http.ResponseWriter, r *http.Request, id uuid.UUID) error {
	for row, err := range a.store.Forwards(r.Context(), ledger.OutboxFilter{ID: id, Limit: 1}) {
		if err != nil {
			return err
		}
		a.resent([]string{row.Host})
		writeJSON(w, http.StatusAccepted, viewForward(row))
		return nil
	}
	return ledger.ErrNotFound
}
