package click

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/money"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func scope() Scope {
	fixed := []money.FixedRate{{From: "EUR", To: "USD", Rate: decimal.RequireFromString("1.1")}}
	return Scope{Endpoint: "default/test", Currency: "USD", Rates: money.NewTable(fixed, nil), Now: now}
}

func decodeOne(t *testing.T, body string) Item {
	t.Helper()
	items, err := scope().Decode([]byte(body))
	if err != nil || len(items) != 1 {
		t.Fatalf("%s: %d items, error %v", body, len(items), err)
	}
	return items[0]
}

func TestAClickKeepsEveryFieldThatIsKnown(t *testing.T) {
	got := decodeOne(t, `{"subid":" c1 ","time":"2026-02-28T10:00:00+03:00","campaign":"c","ip":"203.0.113.7","user_agent":"UA",
		"keyword":"kw","cost":"0.5","currency":"eur","external_id":12345678901234567890,"creative_id":null,"ad_campaign_id":"",
		"source":"s","sub_id_1":"one","sub_id_2":2,"sub_id_30":"thirty","sub_id_31":"x","unknown":{"a":[1]}}`)
	cost := scope().Rates.Convert(decimal.RequireFromString("0.5"), "EUR", "USD")
	want := Item{Click: conversion.Click{
		Endpoint: "default/test", SubID: "c1", Time: time.Date(2026, 2, 28, 7, 0, 0, 0, time.UTC),
		Campaign: "c", IP: "203.0.113.7", UserAgent: "UA", Cost: &cost,
		Params: conversion.Params{
			{Name: "external_id", Value: "12345678901234567890"}, {Name: "keyword", Value: "kw"}, {Name: "source", Value: "s"},
			{Name: "sub_id_1", Value: "one"}, {Name: "sub_id_2", Value: "2"}, {Name: "sub_id_30", Value: "thirty"},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheTimeOfAClick(t *testing.T) {
	at := time.Date(2026, 2, 28, 7, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, time string
		want       time.Time
		reason     Reason
	}{
		{name: "unix seconds", time: `1772262000`, want: at},
		{name: "unix milliseconds", time: `1772262000000`, want: at},
		{name: "unix seconds as text", time: `"1772262000"`, want: at},
		{name: "date and time", time: `"2026-02-28 07:00:00"`, want: at},
		{name: "absent", time: `null`, want: now},
		{name: "empty", time: `" "`, want: now},
		{name: "a little ahead", time: `"2026-03-01T12:04:00Z"`, want: now.Add(4 * time.Minute)},
		{name: "too far ahead counts as now", time: `"2027-01-01T00:00:00Z"`, want: now},
		{name: "a word", time: `"yesterday"`, reason: TimeUnreadable},
		{name: "a fraction", time: `1772262000.5`, want: at.Add(500 * time.Millisecond)},
		{name: "before the year 2000", time: `12`, reason: TimeUnreadable},
		{name: "a list", time: `[1]`, reason: ValueUnreadable},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := decodeOne(t, `{"subid":"c1","time":`+test.time+`}`)
			if got.Reason != test.reason || test.reason == "" && !got.Click.Time.Equal(test.want) {
				t.Errorf("got %v %q, want %v %q", got.Click.Time, got.Reason, test.want, test.reason)
			}
		})
	}
}

func TestTheCostOfAClick(t *testing.T) {
	for _, test := range []struct {
		name, fields string
		want         string
		reason       Reason
	}{
		{"a number", `"cost":0.10`, "0.1 USD = 0.1", ""},
		{"text in another currency", `"cost":"1,5","currency":"EUR"`, "1.5 EUR = 1.65", ""},
		{"a currency without a rate", `"cost":1,"currency":"RUB"`, "1 RUB = pending", ""},
		{"none", `"currency":"EUR"`, "none", ""},
		{"a word", `"cost":"free"`, "none", CostUnreadable},
		{"an exponent", `"cost":1e3`, "1000 USD = 1000", ""},
		{"a sign", `"cost":"2 ₽"`, "2 RUB = pending", ""},
		{"an unfilled currency", `"cost":"5","currency":"{currency}"`, "5 USD = 5", ""},
		{"a dollar sign for the currency", `"cost":"5","currency":"$"`, "5 USD = 5", ""},
		{"an unfilled cost", `"cost":"{cost}"`, "none", ""},
		{"a truth value", `"cost":true`, "none", ValueUnreadable},
		{"a unique click that is no truth value", `"unique":"maybe"`, "none", ValueUnreadable},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := decodeOne(t, `{"subid":"c1",`+test.fields+`}`)
			text := "none"
			if cost := got.Click.Cost; cost != nil {
				text = fmt.Sprintf("%s %s = pending", cost.Original, cost.Currency)
				if !cost.Pending() {
					text = fmt.Sprintf("%s %s = %s", cost.Original, cost.Currency, cost.Converted)
				}
			}
			if got.Reason != test.reason || test.reason == "" && text != test.want {
				t.Errorf("got %s %q, want %s %q", text, got.Reason, test.want, test.reason)
			}
		})
	}
}

func TestTheShapeOfABodyIsToldByItsContent(t *testing.T) {
	many := func(n int, item, separator string) string {
		return strings.TrimSuffix(strings.Repeat(item+separator, n), separator)
	}
	for _, test := range []struct {
		name, body string
		want       string
		err        error
	}{
		{"an object over several lines", "{\n \"subid\": \"a\"\n}\n", "a", nil},
		{"a byte order mark", "\uFEFF{\"subid\":\"a\"}", "a", nil},
		{"an array", `[{"subid":"a"}, {"subid":"b"}]`, "a b", nil},
		{"an empty array", ` [ ] `, "", nil},
		{"lines with an empty one and carriage returns", "{\"subid\":\"a\"}\r\n\r\n{\"subid\":\"b\"}\r\n", "a b", nil},
		{"a broken line among good ones", "{\"subid\":\"a\"}\n{\"subid\":\n{\"subid\":\"b\"}", "a json_invalid b", nil},
		{"elements that are no objects", `[1,null,"x",[{"subid":"a"}],{"subid":"b"}]`, many(4, "json_invalid", " ") + " b",
			nil},
		{"subids that are none", `[{"subid":""},{"subid":"{clickid}"},{"subid":"a b"},{"subid":7},{"subid":["a"]}]`,
			"subid_missing subid_unresolved_macro subid_malformed 7 value_unreadable", nil},
		{"a value that is too long", `[{"subid":"a","keyword":"` + strings.Repeat("k", MaxValueBytes+1) + `"},{"subid":"b"}]`,
			"value_too_long b", nil},
		{"a repeated field counts with its last value", `{"subid":"a","subid":"b"}`, "b", nil},
		{"as many as are allowed", "[" + many(MaxItems, "0", ",") + "]", many(MaxItems, "json_invalid", " "), nil},
		{"one more in an array", "[" + many(MaxItems+1, "0", ",") + "]", "", ErrTooMany},
		{"one more line", many(MaxItems+1, `{"subid":"a"}`, "\n"), "", ErrTooMany},
		{"nothing", " \n", "", ErrUnreadable},
		{"text", `subid=a`, "", ErrUnreadable},
		{"a number", `1`, "", ErrUnreadable},
		{"an object that ends early", "{\n\"subid\":\"a\"", "", ErrUnreadable},
		{"an array that ends early", `[{"subid":"a"},`, "", ErrUnreadable},
		{"an array with something behind it", `[{"subid":"a"}] x`, "", ErrUnreadable},
	} {
		t.Run(test.name, func(t *testing.T) {
			items, err := scope().Decode([]byte(test.body))
			var got []string
			for _, item := range items {
				if item.Reason != "" {
					got = append(got, string(item.Reason))
				} else {
					got = append(got, item.Click.SubID)
				}
			}
			if !errors.Is(err, test.err) || strings.Join(got, " ") != test.want {
				t.Errorf("got %.200v, error %v; want %.200q, error %v", got, err, test.want, test.err)
			}
		})
	}
}

func TestNoStoreIsGivenNULOrBrokenUTF8(t *testing.T) {
	got := decodeOne(t, "{\"subid\":\"c1\",\"keyword\":\"a\\u0000b\xff\"}")
	if want := "a\uFFFDb\uFFFD"; got.Click.Params[0].Value != want {
		t.Errorf("keyword %q, want %q", got.Click.Params[0].Value, want)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"subid":"c1","time":1772262000,"cost":"1,5","currency":"eur","sub_id_1":"x"}`,
		`[{"subid":"c1"},{"subid":"{macro}"},null]`, "{\"subid\":\"a\"}\n{\n{\"subid\":\"b\"}", `[[[[`, `{"subid":"\u0000"}`,
		"\uFEFF{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := scope().Decode(body)
		if err != nil && items != nil || len(items) > MaxItems {
			t.Fatalf("%d items with error %v", len(items), err)
		}
		for _, item := range items {
			if item.Reason == "" {
				checkClick(t, item.Click)
			}
		}
	})
}

// checkClick holds an accepted click to what the ledger and the engines rely on.
func checkClick(t *testing.T, click conversion.Click) {
	t.Helper()
	if click.SubID == "" || len(click.SubID) > 128 || click.Time.IsZero() || click.Time.After(now.Add(maxAhead)) {
		t.Errorf("accepted %+v", click)
	}
	for i, param := range click.Params {
		if param.Value == "" || len(param.Value) > MaxValueBytes || bytes.ContainsRune([]byte(param.Value), 0) {
			t.Errorf("accepted %s = %q", param.Name, param.Value)
		}
		if i > 0 && click.Params[i-1].Name >= param.Name {
			t.Errorf("%s stands after %s", param.Name, click.Params[i-1].Name)
		}
	}
}

func TestATrackerSaysWhichClicksAreUnique(t *testing.T) {
	for value, want := range map[string]bool{
		`true`: true, `"true"`: true, `1`: true, `"1"`: true, `false`: false, `0`: false, `""`: false, `null`: false,
	} {
		items, err := (Scope{}).Decode([]byte(`{"subid":"c1","unique":` + value + `}`))
		if err != nil || items[0].Reason != "" || items[0].Click.Unique != want {
			t.Errorf("%s: %+v, %v", value, items, err)
		}
	}
}
