package api

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// Limits of a page.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// Parameters of the read API by resource.
var (
	conversionFilters = []string{"endpoint", "subid", "tid", "type", "from", "to", "sort", "limit", "cursor"}
	postbackFilters   = []string{
		"endpoint", "subid", "tid", "type", "outcome", "reason", "from", "to", "sort", "limit", "cursor",
	}
	revenueFilters = []string{"endpoint", "from", "to"}
	forwardFilters = []string{"endpoint", "subid", "tid", "rule", "state", "from", "to", "sort", "limit", "cursor"}
	statusFilters  = []string{"endpoint", "from", "to", "preset"}
	clickFilters   = []string{"endpoint", "sort", "limit", "cursor"}
	noFilters      = []string{} // The id in the path says it all.
)

// badRequest is an error that tells the caller which parameter to correct.
type badRequest string

func (e badRequest) Error() string { return string(e) }

// filters are a request's parameters, read. Zero fields select everything.
type filters struct {
	endpoint, subid, typ string
	// tid is nil when the parameter is absent; present but empty it selects the slots without a transaction id.
	tid      *string
	outcome  conversion.Outcome
	reason   conversion.Reason
	rule     string
	state    ledger.ForwardState
	from, to time.Time
	limit    int
	// limited: the limit was given.
	limited bool
	// sort is the order as given; empty = the list's own. A minus in front means the greatest first.
	sort string
	// resumed is the cursor as given. It continues lists by id at cursor, that of clicks at after, which was at afterTime,
	// that of an operation's rows at number.
	resumed   string
	cursor    uuid.UUID
	after     ledger.Key
	afterTime time.Time
	number    int
	// where are the parameters `filter`.
	where []string
	// preset that the endpoint's network has.
	preset string
	// separator and bom are for tables.
	separator rune
	bom       bool
}

// ascending: the least first.
func (f filters) ascending() bool { return f.sort != "" && !strings.HasPrefix(f.sort, "-") }

// span is what of a list by id is wanted.
func (f filters) span() ledger.Span { return ledger.Span{Oldest: f.ascending()}.From(f.cursor) }

func (f filters) conversions() ledger.ConversionFilter {
	return ledger.ConversionFilter{
		Endpoint: f.endpoint, SubID: f.subid, Type: f.typ, TID: f.tid,
		From: f.from, To: f.to, Span: f.span(), Limit: f.limit,
	}
}

func (f filters) clicks() ledger.ClickFilter {
	by := ledger.ClickFilter{Endpoint: f.endpoint, After: f.after, AfterTime: f.afterTime, Limit: f.limit}
	switch {
	case f.sort == "":
	case f.ascending():
		by.Order = ledger.ClicksOldestFirst
	default:
		by.Order = ledger.ClicksNewestFirst
	}
	return by
}

func (f filters) received() ledger.ReceivedFilter {
	return ledger.ReceivedFilter{
		Endpoint: f.endpoint, SubID: f.subid, Type: f.typ, TID: f.tid, Outcome: f.outcome, Reason: f.reason,
		From: f.from, To: f.to, Span: f.span(), Limit: f.limit,
	}
}

func (f filters) outbox() ledger.OutboxFilter {
	return ledger.OutboxFilter{
		Endpoint: f.endpoint, SubID: f.subid, TID: f.tid, Rule: f.rule, State: f.state,
		From: f.from, To: f.to, Span: f.span(), Limit: f.limit,
	}
}

func parseQuery(rawQuery string) (url.Values, error) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, badRequest("query: " + err.Error())
	}
	return values, nil
}

// forbidden is an error that says what the token is not good for.
type forbidden string

func (e forbidden) Error() string { return string(e) }

// filtersOf reads the request's filters. A token of one endpoint selects that endpoint, whatever is asked for.
func filtersOf(r *http.Request, allowed []string) (filters, error) {
	f, err := parseFilters(r.URL.RawQuery, allowed)
	if err != nil {
		return filters{}, err
	}
	f.endpoint, err = only(grantOf(r), f.endpoint)
	return f, err
}

// only returns the endpoint that may be asked about.
func only(g read.Grant, asked string) (string, error) {
	if g.Endpoint != "" && asked != "" && asked != g.Endpoint {
		return "", forbidden("endpoint: this token is good for " + g.Endpoint + " only")
	}
	return cmp.Or(g.Endpoint, asked), nil
}

// parseFilters reads a query of which only the named parameters are allowed. Nothing is ignored in silence: a
// misspelt filter would otherwise answer with everything. Errors are badRequest.
func parseFilters(rawQuery string, allowed []string) (filters, error) {
	values, err := parseQuery(rawQuery)
	if err != nil {
		return filters{}, err
	}
	f := filters{limit: defaultLimit}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(allowed, name) {
			return filters{}, badRequest(fmt.Sprintf("%s: unknown parameter; known here: %s", name,
				cmp.Or(strings.Join(allowed, ", "), "none")))
		}
		if len(values[name]) > 1 && name != "filter" {
			return filters{}, badRequest(name + ": given more than once")
		}
		for _, value := range values[name] {
			if !storable(value) {
				return filters{}, badRequest(name + ": must be UTF-8 without NUL")
			}
			if err := f.set(name, value); err != nil {
				return filters{}, badRequest(name + ": " + err.Error())
			}
		}
	}
	if !f.from.IsZero() && !f.to.IsZero() && !f.from.Before(f.to) {
		return filters{}, badRequest("to: must be after from")
	}
	return f, nil
}

// storable reports whether a store can hold the value: some refuse to look for one that they cannot.
func storable(value string) bool { return utf8.ValidString(value) && !strings.Contains(value, "\x00") }

func (f *filters) set(name, value string) (err error) {
	if name == "tid" {
		f.tid = &value
		return nil
	}
	if value == "" {
		return badRequest("is empty; leave it out to select all")
	}
	switch name {
	case "endpoint":
		f.endpoint, err = parseEndpoint(value)
	case "subid":
		f.subid = value
	case "type":
		f.typ = strings.ToLower(value)
	case "outcome":
		if f.outcome = conversion.Outcome(value); !f.outcome.Valid() {
			err = badRequest("must be one of " + joined(conversion.Outcomes()))
		}
	case "reason":
		if f.reason = conversion.Reason(value); !f.reason.Valid() {
			err = badRequest("must be one of " + joined(conversion.Reasons()))
		}
	case "rule":
		f.rule = value
	case "state":
		if f.state = ledger.ForwardState(value); !slices.Contains(ledger.ForwardStates(), f.state) {
			err = badRequest("must be one of " + joined(ledger.ForwardStates()))
		}
	case "from":
		f.from, err = parseTime(value)
	case "to":
		f.to, err = parseTime(value)
	default:
		err = f.setForm(name, value)
	}
	return err
}

// setForm sets what is about the answer.
func (f *filters) setForm(name, value string) (err error) {
	switch name {
	case "limit":
		f.limited = true
		f.limit, err = parseLimit(value)
	case "sort":
		f.sort = value
	case "cursor":
		f.resumed = value
	case "follow":
		if value != "1" {
			return badRequest("must be 1")
		}
	case "preset":
		f.preset = value
	case "filter":
		f.where = append(f.where, value)
	case "separator":
		if value != "," && value != ";" {
			return badRequest("must be , or ; (as %3B)")
		}
		f.separator = rune(value[0])
	case "bom":
		if value != "0" && value != "1" {
			return badRequest("must be 0 or 1")
		}
		f.bom = value == "1"
	}
	return err
}

func parseEndpoint(value string) (string, error) {
	namespace, name, ok := strings.Cut(value, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return "", badRequest("must be namespace/name")
	}
	return value, nil
}

// parseTime reads RFC 3339, or a date, which means its first moment in UTC. A "+" that the client forgot to encode has
// arrived as a space.
func parseTime(value string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, strings.ReplaceAll(value, " ", "+")); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, badRequest("must be RFC 3339 (2026-01-31T15:04:05Z) or a date (2026-01-31)")
}

func parseLimit(value string) (int, error) {
	limit, err := strconv.Atoi(value)
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, badRequest(fmt.Sprintf("must be 1 to %d", maxLimit))
	}
	return limit, nil
}

func joined[S ~string](values []S) string {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = string(value)
	}
	return strings.Join(names, ", ")
}
