package visit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/click/clicktest"
	"github.com/postback-dev/postback-operator/receiver/click/subid"
	"github.com/postback-dev/postback-operator/receiver/click/visit"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
)

func rates() *money.Table {
	return money.NewTable([]money.FixedRate{{From: "EUR", To: "USD", Rate: decimal.RequireFromString("1.1")}}, nil)
}

func visitTo(t *testing.T, alias, query string) visit.Visit {
	t.Helper()
	campaign := clicktest.Snapshot(t, clicktest.Endpoint()).ByAlias(alias)
	return visit.Visit{
		Campaign:  campaign,
		Values:    request.ParseVisit(&request.Request{RawQuery: query}, campaign.Names),
		IP:        "203.0.113.7",
		UserAgent: "UA",
		At:        clicktest.Noon,
	}
}

func TestTheFieldsOfAClick(t *testing.T) {
	for _, test := range []struct{ name, alias, query, want string }{
		{"nothing", "QwErTy", "", "source=adnet"},
		{"canonical names always work", "QwErTy",
			"keyword=a&external_id=b&creative_id=c&ad_campaign_id=d&source=e&sub_id_30=f",
			"ad_campaign_id=d creative_id=c external_id=b keyword=a source=e sub_id_30=f"},
		{"the traffic source's names", "QwErTy", "utm_term=a&click=b&zone=7",
			"external_id=b keyword=a source=adnet sub_id_1=7"},
		{"in their declared order", "QwErTy", "utm_term=second&kw=first", "keyword=first source=adnet"},
		{"the canonical name goes first", "QwErTy", "kw=theirs&keyword=ours", "keyword=ours source=adnet"},
		{"an empty value is none", "QwErTy", "keyword=&kw=theirs&source=", "keyword=theirs source=adnet"},
		{"the last value counts", "QwErTy", "keyword=a&keyword=b", "keyword=b source=adnet"},
		{"the page's title where there is no keyword", "QwErTy", "default_keyword=Title", "keyword=Title source=adnet"},
		{"a keyword goes before the page's title", "QwErTy", "default_keyword=Title&kw=a", "keyword=a source=adnet"},
		{"names that mean nothing to the campaign", "autumn", "kw=a&zone=7&sub_id_31=x", ""},
		{"a value that is too long is absent", "autumn", "keyword=" + strings.Repeat("k", 2049) + "&source=s", "source=s"},
		{"neither NUL nor broken UTF-8", "autumn", "keyword=a%00b%ff", "keyword=a\uFFFDbя"},
		{"a macro that was not filled in", "QwErTy", "keyword=${KEYWORD}&kw=theirs&click={click_id}&zone=__ZONE__",
			"keyword=theirs source=adnet"},
		{"text that is no macro", "QwErTy", "kw=c%23+course&zone=50%25", "keyword=c# course source=adnet sub_id_1=50%"},
		{"a broken name", "autumn", "Keyword=a", "keyword=a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			click := visitTo(t, test.alias, test.query).Click(rates())
			var got []string
			for _, param := range click.Params {
				got = append(got, param.Name+"="+param.Value)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
			if click.Endpoint != "default/test" || click.IP != "203.0.113.7" || click.UserAgent != "UA" ||
				!click.Time.Equal(clicktest.Noon) ||
				len(click.SubID) != subid.Length {
				t.Errorf("click %+v", click)
			}
		})
	}
}

func TestTheCostOfAVisit(t *testing.T) {
	for _, test := range []struct{ name, alias, query, want string }{
		{"the campaign's", "QwErTy", "", "0.05 EUR = 0.055"},
		{"the link's, in the endpoint's currency", "QwErTy", "cost=0.2", "0.2 USD = 0.2"},
		{"the traffic source's name and currency", "QwErTy", "bid=0,5&currency=eur", "0.5 EUR = 0.55"},
		{"a macro that was not filled in", "QwErTy", "cost={bid}", "0.05 EUR = 0.055"},
		{"a currency without a rate", "QwErTy", "cost=1&currency=RUB", "1 RUB = pending"},
		{"nobody knows", "autumn", "bid=1", "none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := "none"
			if cost := visitTo(t, test.alias, test.query).Click(rates()).Cost; cost != nil {
				text = fmt.Sprintf("%s %s = pending", cost.Original, cost.Currency)
				if !cost.Pending() {
					text = fmt.Sprintf("%s %s = %s", cost.Original, cost.Currency, cost.Converted)
				}
			}
			if text != test.want {
				t.Errorf("got %s, want %s", text, test.want)
			}
		})
	}
}

func TestWhereAVisitorGoes(t *testing.T) {
	v := visitTo(t, "QwErTy", "kw=red+shoes%26more&zone=%2F%2Fevil.example&sub_id_2=%0d%0aX:y&cost=0.10&clickid=own")
	click := v.Click(rates())
	click.SubID = "s1"
	want := "https://offer.example/go?clickid=s1&c=spring&kw=red%20shoes%26more&src=adnet&z=%2F%2Fevil.example&cost=0.1USD#X%3Ay"
	if diff := cmp.Diff(want, v.OfferURL(click)); diff != "" {
		t.Error(diff)
	}
	want = "https://offer.example/go?clickid=&c=spring&kw=&src=&z=%2F%2Fevil.example&cost=USD#"
	if diff := cmp.Diff(want, v.OfferURL(&conversion.Click{})); diff != "" {
		t.Errorf("without a click:\n%s", diff)
	}
}

func TestAnOfferHasDatesRandomNumbersAndRawValues(t *testing.T) {
	e := clicktest.Endpoint()
	e.Campaigns[0].OfferURL = "https://offer.example/?s={_subid}&d={_date:d.m.Y,Europe/Kyiv}&r={random:5,5}&k={_keyword}&u={utm_x}&a={sub_id_9}"
	campaign := clicktest.Snapshot(t, e).ByAlias(e.Campaigns[0].Alias)
	v := visit.Visit{Campaign: campaign, Values: request.ParseVisit(&request.Request{RawQuery: "utm_x=1"}, campaign.Names),
		At: clicktest.Noon.Add(11 * time.Hour)}
	click := &conversion.Click{SubID: "s1", Params: conversion.Params{{Name: "keyword", Value: "a/b&c=d"},
		{Name: "sub_id_9", Value: "${AD}"}}}
	next := clicktest.Noon.AddDate(0, 0, 1).Format("02.01.2006")
	want := "https://offer.example/?s=s1&d=" + next + "&r=5&k=a/b%26c%3Dd&u=1&a="
	if got := v.OfferURL(click); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestATokenNamesCampaignAndClick(t *testing.T) {
	v := visitTo(t, "QwErTy", "")
	click := v.Click(rates())
	alias, id, ok := visit.SplitToken(visit.Token(v.Campaign, click))
	if !ok || alias != "QwErTy" || id != click.SubID {
		t.Errorf("%q %q %v", alias, id, ok)
	}
	if alias, id, ok := visit.SplitToken("QwErTy.old.token-1"); !ok || alias != "QwErTy" || id != "old.token-1" {
		t.Errorf("without a seal: %q %q %v", alias, id, ok)
	}
	for _, none := range []string{"", "QwErTy", ".s1", "QwErTy.", "a b.s1", "QwErTy.{subid}", "QwErTy.a b",
		"//evil.example/.s1"} {
		if _, _, ok := visit.SplitToken(none); ok {
			t.Errorf("%q is taken for a token", none)
		}
	}
}

func TestOnlyTheReceiverSealsAToken(t *testing.T) {
	spring := func(tokens ...config.Key) *endpoint.Campaign {
		e := clicktest.Endpoint()
		e.Campaigns[1].Tokens = tokens
		return clicktest.Snapshot(t, e).ByAlias("QwErTy")
	}
	later := clicktest.Noon.Add(time.Hour)
	first := config.Key{ID: "ct1", SHA256: config.Digest("first-token")}
	second := config.Key{ID: "ct2", SHA256: config.Digest("second-token")}
	token := visit.Token(spring(first), &conversion.Click{SubID: "s.1"})

	retiring := first
	retiring.RetireAt = &later
	for name, test := range map[string]struct {
		campaign     *endpoint.Campaign
		token, subid string
		want         bool
	}{
		"the visitor's own":            {spring(first), token, "s.1", true},
		"while a new token takes over": {spring(second, retiring), token, "s.1", true},
		"after that":                   {spring(second), token, "s.1", false},
		"another click":                {spring(first), token, "s.2", false},
		"no seal":                      {spring(first), "QwErTy.s.1", "s.1", false},
		"a campaign without a token":   {spring(), "QwErTy.s.1", "s.1", false},
		"nothing":                      {spring(first), "", "", false},
	} {
		if got := visit.Proves(test.campaign, test.token, test.subid); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if alias, id, ok := visit.SplitToken(token); !ok || alias != "QwErTy" || id != "s.1" {
		t.Errorf("%q %q %v", alias, id, ok)
	}
	if current := visit.Token(spring(second, retiring), &conversion.Click{SubID: "s.1"}); current == token {
		t.Error("the retiring token still seals")
	}
}

func TestWhoIsABot(t *testing.T) {
	for agent, want := range map[string]bool{
		"": true, "Googlebot/2.1 (+http://www.google.com/bot.html)": true, "facebookexternalhit/1.1": true, "curl/8.0": true,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36": false,
	} {
		if got := visit.IsBot(agent); got != want {
			t.Errorf("%q: %v", agent, got)
		}
	}
}

func FuzzVisit(f *testing.F) {
	for _, seed := range []string{"kw=a&cost=0,5&currency=eur", "sub_id_2=%0d%0a&zone=%26%23", "cost=1e9", "%",
		"a=b;c=d"} {
		f.Add(seed)
	}
	campaign := clicktest.Endpoint()
	f.Fuzz(func(t *testing.T, query string) {
		v := visit.Visit{
			Campaign: clicktest.Snapshot(t, campaign).ByAlias("QwErTy"),
			Values:   request.ParseVisit(&request.Request{RawQuery: query}, nil), At: clicktest.Noon,
		}
		click := v.Click(rates())
		to := v.OfferURL(click)
		if !strings.HasPrefix(to, "https://offer.example/go?clickid="+click.SubID+"&c=spring&kw=") ||
			strings.Count(to, "#") != 1 ||
			strings.Count(to, "&") != 5 || strings.ContainsAny(to, "\r\n\"'<> ") {
			t.Fatalf("%q leads to %q", query, to)
		}
	})
}
