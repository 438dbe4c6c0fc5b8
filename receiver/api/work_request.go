package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/money"
	work "github.com/postback-dev/postback-operator/receiver/operation"
)

// maxOperation bounds the body of a request for an operation, in bytes.
const maxOperation = 20 << 20

// maxKey bounds an Idempotency-Key, in bytes.
const maxKey = 200

// actorHeader says who wants a change. It is believed with the fleet's ops token, and with the scope actor.
const actorHeader = "X-Postback-Actor"

// ask reads what is asked for. Nothing is ignored in silence.
func (a *api) ask(w http.ResponseWriter, r *http.Request) (asked work.Request, err error) {
	var body read.NewOperation
	if err := readBody(w, r, &body); err != nil {
		return asked, err
	}
	asked = work.Request{Kind: body.Kind, Note: strings.TrimSpace(body.Note), DryRun: body.DryRun}
	if asked.Endpoint, err = only(grantOf(r), body.Endpoint); err != nil {
		return asked, err
	}
	if asked.Actor, err = actorOf(r); err != nil {
		return asked, err
	}
	if asked.Key, err = keyOf(r); err != nil {
		return asked, err
	}
	if err := fits(&body); err != nil {
		return asked, err
	}
	for _, field := range []struct{ name, text string }{
		{"endpoint", asked.Endpoint}, {"note", asked.Note}, {"status", body.Status}, {"rule", body.Rule},
		{"failure", body.Failure}, {"subid", body.SubID}, {"parameter", body.Parameter}, {"value", body.Value},
	} {
		if !storable(field.text) {
			return asked, badRequest(field.name + ": must be UTF-8 without NUL")
		}
	}
	return asked, specOf(&body, &asked)
}

// fieldsOf are the fields of the body that a kind has beside those of all kinds.
var fieldsOf = map[string][]string{
	work.KindReplay: {
		"forwards", "from", "to", "outcome", "reason", "status", "ids", "include_refused", "include_recorded",
	},
	work.KindImport:    {"forwards", "text", "orphans"},
	work.KindReconcile: {"forwards", "text", "orphans", "from", "to"},
	work.KindErase:     {"subid", "ip", "parameter", "value"},
	work.KindCosts:     {"costs"},
	work.KindResend:    {"rule", "failure", "ids", "from", "to", "per_second"},
}

// ofAllKinds are those that every kind has.
var ofAllKinds = []string{"kind", "endpoint", "dry_run", "note"}

// fits reports what the kind does not have: it would be ignored.
func fits(body *read.NewOperation) error {
	if !slices.Contains(work.Kinds(), body.Kind) {
		return badRequest("kind: must be one of " + strings.Join(work.Kinds(), ", "))
	}
	fields := reflect.ValueOf(body).Elem()
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
		has := slices.Contains(ofAllKinds, name) || slices.Contains(fieldsOf[body.Kind], name)
		if !has && !fields.Field(i).IsZero() {
			return badRequest(name + ": is nothing that an operation of the kind " + body.Kind + " has")
		}
	}
	return nil
}

// specOf reads what of the body is about the kind.
func specOf(body *read.NewOperation, asked *work.Request) (err error) {
	s := &asked.Spec
	switch body.Forwards {
	case "":
		s.Forwards = work.SendsByDefault(body.Kind)
	case "send", "skip":
		s.Forwards = body.Forwards == "send"
	default:
		return badRequest("forwards: must be send or skip")
	}
	if s.From, s.To, err = boundsOf("", body.From, body.To); err != nil {
		return err
	}
	if s.Costs, err = costsOf(body.Costs); err != nil {
		return err
	}
	if !s.From.IsZero() && !s.To.IsZero() && !s.From.Before(s.To) {
		return badRequest("to: must be after from")
	}
	if s.Outcome = conversion.Outcome(body.Outcome); s.Outcome != "" && !s.Outcome.Valid() {
		return badRequest("outcome: must be one of " + joined(conversion.Outcomes()))
	}
	if s.Reason = conversion.Reason(body.Reason); s.Reason != "" && !s.Reason.Valid() {
		return badRequest("reason: must be one of " + joined(conversion.Reasons()))
	}
	asked.Input, s.Orphans = body.Text, body.Orphans
	s.Rule, s.Failure, s.PerSecond = body.Rule, body.Failure, body.PerSecond
	asked.Erase = ledger.Selection{SubID: body.SubID, Parameter: body.Parameter, Value: body.Value}
	if body.IP != "" {
		// The value is somebody's: it is not repeated.
		if asked.Erase.IP, err = netip.ParseAddr(body.IP); err != nil {
			return badRequest("ip: must be an IP address")
		}
		asked.Erase.IP = asked.Erase.IP.Unmap()
	}
	s.Status, s.IncludeRefused, s.IncludeRecorded = body.Status, body.IncludeRefused, body.IncludeRecorded
	if len(body.IDs) > maxLimit {
		return badRequest("ids: must be at most " + strconv.Itoa(maxLimit))
	}
	for _, text := range body.IDs {
		id, err := uuid.Parse(text)
		if err != nil {
			return badRequest("ids: must be UUIDs")
		}
		s.IDs = append(s.IDs, id)
	}
	return nil
}

// boundsOf reads two times, either of which may be missing.
func boundsOf(prefix, from, to string) (begin, end time.Time, err error) {
	for _, bound := range []struct {
		name, text string
		into       *time.Time
	}{{"from", from, &begin}, {"to", to, &end}} {
		if bound.text == "" {
			continue
		}
		if *bound.into, err = parseTime(bound.text); err != nil {
			return begin, end, badRequest(prefix + bound.name + ": " + err.Error())
		}
	}
	return begin, end, nil
}

// costsOf reads amounts that are spread over clicks.
func costsOf(given []read.Cost) (costs []work.Cost, err error) {
	for i, g := range given {
		prefix := "costs[" + strconv.Itoa(i) + "]."
		c := work.Cost{Campaigns: g.Campaigns, Currency: g.Currency, Unique: g.Unique, Params: g.Params}
		if c.From, c.To, err = boundsOf(prefix, g.From, g.To); err != nil {
			return nil, err
		}
		value, reading := money.Parse(g.Amount)
		if reading != money.Exact {
			return nil, badRequest(prefix + "amount: must be a number such as 12.50")
		}
		c.Amount = value
		costs = append(costs, c)
	}
	return costs, nil
}

// readBody reads a JSON object. Its errors are badRequest.
func readBody(w http.ResponseWriter, r *http.Request, into any) error {
	if r.URL.RawQuery != "" {
		return badRequest("query: takes no parameters; they belong in the body, as JSON")
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOperation))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("has more than one object")
	}
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return badRequest("body: is longer than 20 MiB")
	}
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) && wrong.Field != "" {
		return badRequest(wrong.Field + ": must be " + jsonWord(wrong.Type))
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return badRequest(strings.Trim(name, `"`) + ": there is no such field")
	}
	return badRequest("body: must be a JSON object: " + strings.TrimPrefix(err.Error(), "json: "))
}

// jsonWord says what a field of the type is in JSON.
func jsonWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// keyOf returns what names the request, empty for nothing.
func keyOf(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKey || !storable(key) {
		return "", badRequest("Idempotency-Key: must be text of at most " + strconv.Itoa(maxKey) + " bytes")
	}
	return key, nil
}

// actorOf returns who wants a change: who the header names, with the ops token or one that has the scope, and else the
// token that is used.
func actorOf(r *http.Request) (string, error) {
	if only := grantOf(r).Endpoint; only != "" && !grantOf(r).May(read.ScopeActor) {
		return "token of " + only, nil
	}
	actor := r.Header.Get(actorHeader)
	if utf8.RuneCountInString(actor) > work.MaxActor || !storable(actor) ||
		strings.ContainsFunc(actor, unicode.IsControl) {
		return "", badRequest(actorHeader + ": must be a name of at most " + strconv.Itoa(work.MaxActor) + " characters")
	}
	return actor, nil
}
