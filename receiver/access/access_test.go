package access

import (
	"io"
	"net/netip"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ratelimit"
	"github.com/postback-dev/postback-operator/receiver/request"
)

func TestAllowed(t *testing.T) {
	listed := compile(t, func(e *config.Endpoint) {
		e.Access.AllowedCIDRs = []string{"192.0.2.0/24", "2001:db8::/32", "::ffff:198.51.100.9/128", "203.0.113.7/24"}
	})
	for _, c := range []struct {
		name, ip string
		want     bool
	}{
		{"an address inside", "192.0.2.200", true},
		{"an address outside", "192.0.3.1", false},
		{"an IPv4 address in its IPv6 form", "::ffff:192.0.2.1", true},
		{"an IPv6 address inside", "2001:db8:1::1", true},
		{"an IPv6 address outside", "2001:db9::1", false},
		{"a zone does not matter", "2001:db8::1%eth0", true},
		{"a CIDR in the IPv6-mapped form", "198.51.100.9", true},
		{"a CIDR with host bits", "203.0.113.250", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := allowed(listed, netip.MustParseAddr(c.ip)); got != c.want {
				t.Errorf("allowed(%s) = %v", c.ip, got)
			}
		})
	}
	if allowed(listed, netip.Addr{}) {
		t.Error("an unknown address passed an allow-list")
	}
	if !allowed(compile(t, nil), netip.MustParseAddr("192.0.3.1")) {
		t.Error("an address was refused where there is no allow-list")
	}
}

// pages lets the pages of https://shop.example report leads.
func pages() *config.Browser {
	return &config.Browser{Types: []string{"lead"}, Origins: []string{"https://shop.example"}, RatePerMinute: 1}
}

// reads counts how much is read of a body.
type reads struct{ n int }

func (r *reads) Read([]byte) (int, error) {
	r.n++
	return 0, io.EOF
}

// The first thing that is wrong is the reason, and of a body that does not matter nothing is read.
func TestTheChecksInTheirOrder(t *testing.T) {
	strict := compile(t, func(e *config.Endpoint) {
		e.Access.AllowedCIDRs = []string{"192.0.2.0/24"}
		e.Access.HMAC = &config.HMAC{Parameter: "sig", Secrets: []config.Secret{{ID: "a", Value: "s"}}}
		e.Browser = pages()
	})
	for _, c := range []struct {
		name      string
		clientKey bool
		edit      func(*request.Request)
		want      conversion.Reason
		read      bool
	}{
		{"a network's that is right", false, nil, "", true},
		{"everything is wrong", false, func(r *request.Request) {
			r.Source, r.Method, r.URLBytes = netip.Addr{}, "PUT", 1<<20
		}, conversion.IPNotAllowed, false},
		{"all but the address", false, func(r *request.Request) { r.Method, r.URLBytes = "PUT", 1<<20 },
			conversion.MethodNotAllowed, false},
		{"the length", false, func(r *request.Request) { r.URLBytes = 1 << 20 }, conversion.RequestTooLarge, false},
		{"the signature", false, func(r *request.Request) { r.RawQuery += "&x" }, conversion.SignatureInvalid, true},
		{"a signature over a body that did not arrive", false, func(r *request.Request) {
			r.BodyError, r.Unread = &request.Error{Reason: conversion.RequestUnreadable}, nil
		},
			conversion.RequestUnreadable, false},
		{"a page's needs neither address nor signature", true,
			func(r *request.Request) { r.Source, r.RawQuery = netip.Addr{}, "subid=c1" }, "", true},
		{"a page's of another origin", true, func(r *request.Request) { r.Origin = "https://evil.example" },
			conversion.OriginNotAllowed, false},
		{"an origin does not help a network", false, func(r *request.Request) { r.Source = netip.Addr{} },
			conversion.IPNotAllowed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := &reads{}
			r := &request.Request{
				Method: "POST", Source: netip.MustParseAddr("192.0.2.7"), Origin: "https://shop.example", Unread: body,
				RawQuery: "subid=c1&sig=" + sign("s", "subid=c1"),
			}
			if c.edit != nil {
				c.edit(r)
			}
			a := &Attempt{Request: r, Endpoint: strict, ClientKey: c.clientKey, limiter: ratelimit.NewLimiter()}
			if got := a.Check(); got != c.want || (body.n > 0) != c.read {
				t.Errorf("%q; the body was read: %t", got, body.n > 0)
			}
		})
	}
}

func TestAPageMayReportDeclaredTypes(t *testing.T) {
	ep := compile(t, func(e *config.Endpoint) { e.Browser = pages() })
	for _, c := range []struct {
		clientKey bool
		of        string
		want      conversion.Reason
	}{{true, "lead", ""}, {true, "sale", conversion.TypeNotAllowed}, {false, "sale", ""}} {
		if got := (&Attempt{Endpoint: ep, ClientKey: c.clientKey}).CheckType(c.of); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestThePagesCookieNamesAClickOfWhichNothingElseIsSaid(t *testing.T) {
	ep := compile(t, func(e *config.Endpoint) { e.Browser = pages() })
	for _, c := range []struct {
		clientKey           bool
		query, cookie, want string
	}{
		{true, "status=lead", "c2", "c2"},
		{true, "status=lead&sub_id=c1", "c2", ""},
		{true, "status=lead", "{x}", ""},
		{true, "status=lead", "", ""},
		{false, "status=lead", "c2", ""},
	} {
		a := &Attempt{Endpoint: ep, ClientKey: c.clientKey, Request: &request.Request{
			RawQuery: c.query, Cookies: []request.Cookie{{Name: "subid", Value: c.cookie}},
		}}
		said, err := a.Said()
		if again, _ := a.Said(); err != nil || len(again.Values) != len(said.Values) || said.Values.Get("subid") != c.want {
			t.Errorf("%+v: %v, then %v, %v", c, said.Values, again.Values, err)
		}
	}
}
