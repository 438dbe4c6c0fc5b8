package api

import (
	"errors"
	"net/http"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

var errNoClick = errors.New("no such click")

// click answers with one click and its conversions.
func (a *api) click(w http.ResponseWriter, r *http.Request) error {
	if _, err := filtersOf(r, noFilters); err != nil {
		return err
	}
	endpoint, subid := r.PathValue("namespace")+"/"+r.PathValue("name"), r.PathValue("subid")
	if !storable(endpoint) || !storable(subid) {
		return badRequest("path: must be UTF-8 without NUL")
	}
	if only := grantOf(r).Endpoint; only != "" && endpoint != only {
		return errNoClick
	}
	found, err := a.Store.Click(r.Context(), endpoint, subid)
	if err != nil {
		return err
	}
	if found == nil {
		return errNoClick
	}
	view := read.ClickDetails{Click: viewClick(found), Conversions: []read.Conversion{}}
	for c, err := range a.Store.Conversions(r.Context(),
		ledger.ConversionFilter{Endpoint: endpoint, SubID: subid, Limit: maxLimit}) {
		if err != nil {
			return err
		}
		view.Conversions = append(view.Conversions, viewConversion(c))
	}
	WriteJSON(w, http.StatusOK, view)
	return nil
}

func viewClick(c *conversion.Click) read.Click {
	view := read.Click{
		Endpoint:      c.Endpoint,
		SubID:         c.SubID,
		Time:          read.UTC(c.Time),
		Campaign:      read.Text(c.Campaign),
		IP:            read.Text(c.IP),
		UserAgent:     read.Text(c.UserAgent),
		Params:        map[string]string{},
		Unique:        c.Unique,
		Test:          c.Test,
		VisitorFields: append([]string{}, c.VisitorFields...),
	}
	for _, p := range c.Params {
		view.Params[p.Name] = p.Value
	}
	if c.Cost != nil {
		view.Cost, view.OriginalCost, view.OriginalCurrency = amount(c.Cost.Converted), amount(&c.Cost.Original),
			read.Text(c.Cost.Currency)
	}
	return view
}
