package postback_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// now is when the tests' postbacks arrive.
var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// compile returns an endpoint in USD with all policies at their defaults, as edit changes it.
func compile(t testing.TB, edit func(*config.Endpoint)) *endpoint.Endpoint {
	t.Helper()
	c := config.Endpoint{
		Namespace: "ads", Name: "shop", Currency: "USD",
		Policies: config.Policies{
			MissingStatus: config.PolicyIgnore, UnknownStatus: config.PolicyIgnore,
			UnknownClick: config.UnknownClickIgnore, Repeat: config.RepeatOverwrite,
			Slot: config.SlotTid, Transitions: config.TransitionsAny,
		},
	}
	if edit != nil {
		edit(&c)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	e, err := endpoint.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func rates() *money.Table {
	return money.NewTable(
		[]money.FixedRate{{From: "EUR", To: "USD", Rate: decimal.RequireFromString("1.10")}},
		[]money.Set{{Source: "test", Base: "CHF", Rates: map[string]decimal.Decimal{"SEK": decimal.NewFromInt(12)}}},
	)
}

func arrival() postback.Arrival {
	return postback.Arrival{
		At: now, IP: "192.0.2.7", RequestID: uuid.MustParse("0195f3a0-0000-7000-8000-000000000001"), Stamp: 42,
	}
}

// describe writes a verdict in one line: what is in it, in a fixed order, and nothing else.
func describe(v postback.Verdict) string {
	var b strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&b, " "+format, args...) }
	if v.Intent == nil {
		add("ignored %s", v.Reason)
	} else {
		in := v.Intent
		add("%s/%s %s<%s>", in.SubID, in.Slot.TID, in.Type, in.Status)
		if in.Slot.Type != "" {
			add("slot-type=%s", in.Slot.Type)
		}
		addAmount := func(name string, a *money.Amount) {
			switch {
			case a == nil:
			case a.Pending():
				add("%s=%s %s pending", name, a.Original, a.Currency)
			case a.Rate.Source == "":
				add("%s=%s %s", name, a.Original, a.Currency)
			default:
				add("%s=%s %s is %s", name, a.Original, a.Currency, a.Converted)
			}
		}
		addAmount("payout", in.Payout)
		addAmount("cost", in.Cost)
		if !in.Date.IsZero() {
			add("date=%s", in.Date.Format(time.RFC3339Nano))
		}
		for _, p := range in.Params {
			add("%s=%s", p.Name, p.Value)
		}
		if in.From != "" {
			add("from=%s", in.From)
		}
	}
	for _, w := range v.Warnings {
		add("!%s", w)
	}
	if v.Return != "" {
		add("return=%s", v.Return)
	}
	return b.String()[1:]
}

func judge(t testing.TB, ep *endpoint.Endpoint, query, contentType, body string) string {
	t.Helper()
	said := read(t, ep, query, contentType, body)
	v := postback.Judge(ep, said, arrival(), rates())
	checkTrace(t, ep, said, v)
	return describe(v)
}

func read(t testing.TB, ep *endpoint.Endpoint, query, contentType, body string) request.Parsed {
	t.Helper()
	said, err := postback.Read(ep, &request.Request{RawQuery: query, ContentType: contentType, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// query is a value that was read from the query.
func query(name, value string) request.Value { return request.Value{Name: name, Value: value} }
