package api

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/postback-dev/postback-operator/api/presets"
	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const (
	// statusesFor is for how long back words are counted unless the request says from when.
	statusesFor = 7 * 24 * time.Hour
	// maxWords bounds the words that are told apart, maxWordBytes each of them.
	maxWords     = 1000
	maxWordBytes = 256
)

// wordKey names a word of an endpoint, whatever its letter case.
type wordKey struct{ endpoint, folded string }

// words counts the status words that no training knows.
type words struct {
	a     *api
	found map[wordKey]*read.Status
	// others are postbacks with further words.
	others int
}

// statuses lists the words that the log's postbacks were ignored for, or that a policy has given a type, with what they
// mean now and what they probably mean.
func (a *api) statuses(w http.ResponseWriter, r *http.Request) error {
	f, err := filtersOf(r, statusFilters)
	if err != nil {
		return err
	}
	catalog := presets.Builtin()
	if f.preset != "" {
		if _, known := catalog.Get(f.preset); !known {
			return badRequest("preset: there is none of that name")
		}
	}
	if f.from.IsZero() {
		f.from = a.Clock().Add(-statusesFor)
	}
	f.limit = 0
	all := words{a: a, found: map[wordKey]*read.Status{}}
	if err := all.count(r.Context(), f); err != nil {
		return err
	}
	view := read.Statuses{Items: []read.Status{}, Others: all.others}
	for _, s := range slices.SortedFunc(maps.Values(all.found), func(a, b *read.Status) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Word, b.Word))
	}) {
		proposal := catalog.Propose(s.Word, f.preset)
		s.Proposal = read.StatusProposal{
			Type:       read.Text(proposal.Type),
			Origin:     string(proposal.Origin),
			Confidence: read.Text(string(proposal.Confidence)),
			Reason:     proposal.Reason,
		}
		view.Items = append(view.Items, *s)
	}
	WriteJSON(w, http.StatusOK, view)
	return nil
}

// count goes through what was ignored, and through all of those endpoints where a policy takes unknown words for a
// type.
func (all *words) count(ctx context.Context, f filters) error {
	ignored := f.received()
	ignored.Reason = conversion.StatusUnknown
	if err := all.add(ctx, ignored); err != nil {
		return err
	}
	for _, ep := range all.a.Explainer.Endpoints().Endpoints() {
		if ep.UnknownStatus == "" || f.endpoint != "" && f.endpoint != ep.Name {
			continue
		}
		taken := f.received()
		taken.Endpoint = ep.Name
		if err := all.add(ctx, taken); err != nil {
			return err
		}
	}
	return nil
}

func (all *words) add(ctx context.Context, f ledger.ReceivedFilter) error {
	for row, err := range all.a.Store.Received(ctx, f) {
		if err != nil {
			return err
		}
		if row.Test {
			continue
		}
		word, ok := all.a.Explainer.WordOf(&row)
		if !ok || f.Reason == "" && (word.Known || row.Reason == conversion.StatusUnknown) {
			continue // None, or it was counted as ignored.
		}
		key := wordKey{row.Endpoint, endpoint.Fold(word.Text)}
		s := all.found[key]
		switch {
		case s == nil && (len(all.found) == maxWords || len(word.Text) > maxWordBytes):
			all.others++
			continue
		case s == nil:
			s = &read.Status{
				Endpoint: row.Endpoint,
				Word:     word.Text,
				First:    read.UTC(row.At),
				Last:     read.UTC(row.At),
				Type:     read.Text(word.Type),
				By:       read.Text(word.By),
			}
			all.found[key] = s
		}
		s.Count++
		if row.At.Before(*s.First) {
			s.First = read.UTC(row.At)
		}
		if row.At.After(*s.Last) {
			s.Last = read.UTC(row.At)
		}
	}
	return nil
}
