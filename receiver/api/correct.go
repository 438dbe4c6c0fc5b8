package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	work "github.com/postback-dev/postback-operator/receiver/operation"
)

// corrections are the resources by which a person changes one conversion.
func (a *api) corrections() []operation {
	patch := answering[read.Conversion]("conversions/{id}", "Corrects a conversion by hand", noFilters,
		a.changes(a.correct))
	patch.method, patch.body, patch.headers = http.MethodPatch, bodyOf[read.Correction](),
		[]string{"If-Match", actorHeader}
	adjust := answering[read.Conversion]("conversions/{id}/adjustments", "Records what is added to a conversion's payout",
		noFilters, a.changes(a.adjust))
	adjust.method, adjust.body, adjust.headers = http.MethodPost, bodyOf[read.Correction](),
		[]string{"Idempotency-Key", actorHeader}
	return []operation{patch, adjust}
}

// correctionOf reads a correction, and the id of the conversion, which the token may be asked about.
func (a *api) correctionOf(w http.ResponseWriter, r *http.Request) (id uuid.UUID, c work.Correction, err error) {
	if id, err = uuid.Parse(r.PathValue("id")); err != nil {
		return id, c, badRequest("id: must be a conversion's id, a UUID")
	}
	var body read.Correction
	if err = readBody(w, r, &body); err != nil {
		return id, c, err
	}
	if body.Forwards != "" && body.Forwards != "send" && body.Forwards != "skip" {
		return id, c, badRequest("forwards: must be send or skip")
	}
	c = work.Correction{
		Type: body.Type, Payout: body.Payout, Currency: body.Currency, Note: strings.TrimSpace(body.Note),
		Unpin: body.Unpin, Forwards: body.Forwards != "skip",
	}
	if body.Pin != nil {
		c.Pin, c.Unpin = *body.Pin, c.Unpin || !*body.Pin
	}
	if !storable(c.Note) {
		return id, c, badRequest("note: must be UTF-8 without NUL")
	}
	if c.Actor, err = actorOf(r); err != nil {
		return id, c, err
	}
	only := grantOf(r).Endpoint
	versions, err := a.Store.History(r.Context(), id)
	if err == nil && only != "" && versions[0].Endpoint != only {
		err = ledger.ErrNotFound
	}
	return id, c, err
}

func (a *api) correct(w http.ResponseWriter, r *http.Request) error {
	id, c, err := a.correctionOf(w, r)
	if err != nil {
		return err
	}
	match := r.Header.Get("If-Match")
	version, err := strconv.Atoi(strings.Trim(match, `"`))
	switch {
	case match == "":
		WriteError(w, http.StatusPreconditionRequired,
			"If-Match: say which version of the conversion is to be changed, so that nobody overwrites another's change")
		return nil
	case err != nil || version < 1:
		return badRequest("If-Match: must be the version of the conversion, a number")
	}
	result, err := a.Operator.Correct(r.Context(), id, version, c)
	if errors.Is(err, ledger.ErrVersion) {
		WriteError(w, http.StatusPreconditionFailed, "If-Match: the conversion has another version now; look at it again")
		return nil
	}
	return a.answerConversion(w, r, result.ConversionID, err)
}

func (a *api) adjust(w http.ResponseWriter, r *http.Request) error {
	id, c, err := a.correctionOf(w, r)
	if err != nil {
		return err
	}
	if c.Pin || c.Unpin {
		return badRequest("pin: an adjustment is a conversion of its own, which is pinned")
	}
	if c.Key, err = keyOf(r); err != nil {
		return err
	}
	result, err := a.Operator.Adjust(r.Context(), id, c)
	if err == nil && result.Outcome != conversion.Recorded && result.Outcome != conversion.Duplicate {
		WriteError(w, http.StatusConflict, "the adjustment was "+string(result.Outcome)+": "+string(result.Reason))
		return nil
	}
	return a.answerConversion(w, r, result.ConversionID, err)
}

// answerConversion answers with a conversion as it is now.
func (a *api) answerConversion(w http.ResponseWriter, r *http.Request, id uuid.UUID, err error) error {
	var wrong work.Invalid
	if errors.As(err, &wrong) {
		return badRequest(wrong)
	}
	if err != nil {
		return err
	}
	versions, err := a.Store.History(r.Context(), id)
	if err != nil {
		return err
	}
	WriteJSON(w, http.StatusOK, viewConversion(versions[len(versions)-1]))
	return nil
}
