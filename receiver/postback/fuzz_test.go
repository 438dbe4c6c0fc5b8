package postback_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/postback/postbacktest"
	"github.com/postback-dev/postback-operator/receiver/request"
)

func addRequests(f *testing.F) {
	for _, r := range postbacktest.Requests {
		f.Add(r.Query, r.ContentType, []byte(r.Body))
	}
}

// everything is an endpoint that uses every part of the configuration that judging looks at.
func everything(t testing.TB) *endpoint.Endpoint {
	return compile(t, func(e *config.Endpoint) {
		firstBet(e)
		e.Aliases = map[string][]string{"subid": {"clickid", "cid"}, "status": {"type"}, "sub_id_1": {"aff_sub"}}
		e.Training = []config.TrainingRule{rule("sale", "approved", "лид", "x"), rule("upsell", "rebill", "x")}
		e.Access.HMAC = &config.HMAC{Parameter: "sig", Secrets: []config.Secret{{ID: "a", Value: "s"}}}
		e.Policies.Slot = config.SlotTidAndType
	})
}

var subIDGrammar = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,128}$`)

func FuzzJudge(f *testing.F) {
	addRequests(f)
	ep, table := everything(f), rates()
	f.Fuzz(func(t *testing.T, query, contentType string, body []byte) {
		said, err := postback.Read(ep, &request.Request{RawQuery: query, ContentType: contentType, Body: body})
		if refused := new(request.Error); err != nil {
			if !errors.As(err, &refused) || refused.Reason.Outcome() != conversion.Refused {
				t.Fatalf("the error %#v", err)
			}
			return
		}
		v := postback.Judge(ep, said, arrival(), table)
		checkTrace(t, ep, said, v)
		if (v.Intent == nil) == (v.Reason == "") {
			t.Fatalf("intent %v with reason %q", v.Intent, v.Reason)
		}
		for i, w := range v.Warnings {
			if slices.Contains(v.Warnings[:i], w) {
				t.Fatalf("warning %s twice", w)
			}
		}
		if v.Intent != nil {
			checkIntent(t, ep, v)
		}
	})
}

func checkIntent(t *testing.T, ep *endpoint.Endpoint, v postback.Verdict) {
	t.Helper()
	in := v.Intent
	if !subIDGrammar.MatchString(in.SubID) || in.SubID != v.SubID {
		t.Fatalf("subid %q, %q", in.SubID, v.SubID)
	}
	if len(in.Slot.TID) > 256 || in.Slot.TID != v.TID || in.Slot.Type != in.Type {
		t.Fatalf("slot %q", in.Slot)
	}
	if !slices.Contains(ep.Types, in.Type) || in.Type != v.Type {
		t.Fatalf("type %q, %q", in.Type, v.Type)
	}
	for i, p := range in.Params {
		if p.Name == "" || p.Value == "" || i > 0 && in.Params[i-1].Name >= p.Name {
			t.Fatalf("params %q", in.Params)
		}
	}
	if in.Date.After(now.Add(5*60e9)) || !in.Date.IsZero() && in.Date.Year() < 2000 {
		t.Fatalf("date %s", in.Date)
	}
	if (in.Payout == nil) && slices.Contains(v.Warnings, conversion.PayoutAmbiguous) {
		t.Fatalf("warnings %v without a payout", v.Warnings)
	}
}

func FuzzDate(f *testing.F) {
	for _, date := range []string{
		"1767225600", "1767225600123", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00 02:00", "2026-01-01 10:00:00",
		"9223372036854775807", "20260131", "-1", "{date}", "2026-02-30 10:00:00", "2026-01-01T10:00:00.123456789-11:30",
	} {
		f.Add(date)
	}
	ep, table := compile(f, nil), rates()
	f.Fuzz(func(t *testing.T, date string) {
		v := postback.Judge(ep, request.Parsed{Values: request.Values{query("subid", "c1"), query("status", "lead"),
			query("date", date)}}, arrival(), table)
		if v.Intent == nil {
			t.Fatalf("ignored for %s", v.Reason)
		}
		checkDate(t, date, v)
	})
}

// checkDate: a date is either of use, in the past and kept exactly, or warned about.
func checkDate(t *testing.T, sent string, v postback.Verdict) {
	t.Helper()
	date, warned := v.Intent.Date, len(v.Warnings) > 0
	if date.IsZero() != (warned || sent == "") {
		t.Fatalf("%q: date %s with warnings %v", sent, date, v.Warnings)
	}
	if date.After(now.Add(5*60e9)) || !date.IsZero() && date.Year() < 2000 || date.Nanosecond()%1000 != 0 {
		t.Fatalf("%q became %s", sent, date)
	}
}

func FuzzTraining(f *testing.F) {
	f.Add("x", "x", "y", "z", "x", "y")
	f.Add("sale", "sale, a", " SALE ", "", "sale", "lead")
	f.Add("ЛИД", "лид", "ЛИД", "", "лид", "")
	f.Add("\u212a", "k", "K", "", "", "K")
	f.Fuzz(func(t *testing.T, status, leads, sales, bets, trainedLead, trainedSale string) {
		declared := config.Endpoint{Namespace: "a", Name: "b"}
		declared.ConversionTypes = []config.ConversionType{{Name: "first_bet", Parameter: "bet"},
			{Name: "upsell", Parameter: "up"}}
		declared.Training = []config.TrainingRule{rule("lead", trainedLead), rule("sale", trainedSale)}
		declared.Policies.UnknownStatus = config.PolicyIgnore
		ep, err := endpoint.Compile(declared)
		if err != nil {
			t.Fatal(err)
		}
		values := request.Values{query("subid", "c1")}
		status = strings.TrimSpace(strings.ToValidUTF8(status, "?"))
		if status == "" {
			return
		}
		for name, list := range map[string]string{"status": status, "lead_status": leads, "sale_status": sales,
			"bet_status": bets} {
			if list = strings.TrimSpace(list); list != "" {
				values = append(values, query(name, list))
			}
		}
		want := expectedType(status, [][2]string{{"lead", leads}, {"sale", sales}, {"first_bet", bets}},
			[][2]string{{"lead", trainedLead}, {"sale", trainedSale}})
		if got := postback.Judge(ep, request.Parsed{Values: values}, arrival(), rates()); got.Type != want {
			t.Fatalf("status %q became %q, want %q", status, got.Type, want)
		}
	})
}

// expectedType is docs/semantics.md §3.7 once more, written as the text has it: level by level, and within one the own
// name before the order of types. A level of the endpoint holds single words, one of the URL comma lists.
func expectedType(status string, url, trained [][2]string) string {
	same := func(word string) bool { return endpoint.Fold(word) == endpoint.Fold(status) }
	for _, level := range []struct {
		lists [][2]string
		split func(string) []string
	}{
		{url, func(list string) []string { return strings.Split(list, ",") }},
		{trained, func(word string) []string { return []string{word} }},
	} {
		var listing []string
		for _, entry := range level.lists {
			if slices.ContainsFunc(level.split(entry[1]), same) {
				listing = append(listing, entry[0])
			}
		}
		if own := slices.IndexFunc(listing, same); own >= 0 {
			return listing[own]
		}
		if len(listing) > 0 {
			return listing[0]
		}
	}
	for _, word := range config.BuiltinTypes() {
		if same(word) {
			return word
		}
	}
	for _, custom := range [][2]string{{"first_bet", "first_bet"}, {"upsell", "upsell"}, {"bet", "first_bet"},
		{"up", "upsell"}} {
		if same(custom[0]) {
			return custom[1]
		}
	}
	return ""
}
