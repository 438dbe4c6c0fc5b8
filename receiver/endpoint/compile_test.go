package endpoint_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

// full is an endpoint that declares something of everything.
func full() config.Endpoint {
	return config.Endpoint{
		Namespace: "ads", Name: "shop", Currency: "USD",
		Aliases:  map[string][]string{"subid": {"clickid", "cid"}, "payout": {"revenue", "sum"}, "sub_id_30": {"last"}},
		Training: []config.TrainingRule{{Type: "sale", Statuses: []string{" Approved ", "won"}}},
		ConversionTypes: []config.ConversionType{
			{Name: "first_bet", Parameter: "bet", CountsAs: config.CountsAsNone},
			{Name: "upsell", Parameter: "up", CountsAs: config.CountsAsConfirmed},
		},
		Payout: config.Payout{Default: "-1.50", Max: "500"},
		Policies: config.Policies{
			MissingStatus: "sale", UnknownStatus: config.PolicyIgnore,
			UnknownClick: config.UnknownClickHold, HoldFor: config.Duration(time.Hour),
			ClickLookback: config.Duration(48 * time.Hour),
			Repeat:        config.RepeatAdd, Slot: config.SlotTidAndType, Transitions: config.TransitionsForwardOnly,
			StrictReplies: true, SuccessBody: "OK",
		},
		Access: config.Access{
			AllowedCIDRs: []string{"192.0.2.7/24", "::ffff:10.0.0.0/104", "2001:db8::/32"},
			HMAC: &config.HMAC{Parameter: "sig",
				Secrets: []config.Secret{{ID: "a", Value: "secret-1"}, {ID: "b", Value: "secret-2"}}},
		},
		Forwards: []config.Forward{{
			Name: "fb", URL: "https://example.com/?c={subid}", Method: "GET", Types: []string{"sale"},
			Resend: config.ResendOnStatusChange, Sources: []string{"fb"}, Campaigns: []string{"c"},
		}},
	}
}

func compile(t testing.TB, c config.Endpoint) *endpoint.Endpoint {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	e, err := endpoint.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCompileTakesOverWhatIsDeclared(t *testing.T) {
	e := compile(t, full())
	lowest, highest := decimal.RequireFromString("-1.5"), decimal.NewFromInt(500)
	wantRules := &conversion.Rules{
		Currency: "USD", DefaultPayout: &lowest, MaxPayout: &highest,
		Forwards: []conversion.ForwardRule{{
			Name: "fb", Host: "example.com:443", Types: []string{"sale"}, Resend: config.ResendOnStatusChange,
			Sources: []string{"fb"}, Campaigns: []string{"c"},
		}},
		Policies: full().Policies,
	}
	if diff := cmp.Diff(wantRules, e.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	wantTypes := []string{"lead", "sale", "rejected", "registration", "deposit", "trash", "first_bet", "upsell"}
	if diff := cmp.Diff(wantTypes, e.Types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	wantCIDRs := []netip.Prefix{
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32"),
	}
	if !slices.Equal(e.AllowedCIDRs, wantCIDRs) {
		t.Errorf("CIDRs %v", e.AllowedCIDRs)
	}
	got := fmt.Sprint(e.Name, e.Namespace, e.Currency, e.MissingStatus, e.UnknownStatus, e.SuccessBody, e.StrictReplies,
		e.SignatureParameter)
	if want := fmt.Sprint("ads/shop", "ads", "USD", "sale", "", "OK", true, "sig"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(e.SignatureSecrets) != 2 || e.SignatureSecrets[1].Reveal() != "secret-2" {
		t.Errorf("%d secrets", len(e.SignatureSecrets))
	}
}

func TestCompiledEndpointPrintsNoSecret(t *testing.T) {
	e := compile(t, full())
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if text := fmt.Sprintf(format, e); strings.Contains(text, "secret-1") ||
			strings.Contains(text, fmt.Sprintf("%x", "secret-1")) {
			t.Errorf("%s shows a secret", format)
		}
	}
}

func TestCompileDefaultsTheReply(t *testing.T) {
	c := full()
	c.Policies.SuccessBody = ""
	if e := compile(t, c); e.SuccessBody != "Success" {
		t.Errorf("success body %q", e.SuccessBody)
	}
}

func TestCompileNamesTheFieldThatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*config.Endpoint)
		want string
	}{
		{"a default payout", func(c *config.Endpoint) { c.Payout.Default = "x" }, "payout.default"},
		{"a largest payout", func(c *config.Endpoint) { c.Payout.Max = "x" }, "payout.max"},
		{"a CIDR", func(c *config.Endpoint) { c.Access.AllowedCIDRs[1] = "x" }, "access.allowedCIDRs[1]"},
		{"an alias of nothing", func(c *config.Endpoint) { c.Aliases["nothing"] = []string{"x"} }, `aliases["nothing"]`},
		{"an alias of an alias", func(c *config.Endpoint) { c.Aliases["revenue"] = []string{"x"} }, `aliases["revenue"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			declared := full()
			c.edit(&declared)
			if _, err := endpoint.Compile(declared); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not name %s", err, c.want)
			}
		})
	}
}

func TestLookupKnowsEveryCanonicalParameter(t *testing.T) {
	e := compile(t, full())
	seen := map[endpoint.Field]string{}
	for _, param := range config.CanonicalParameters() {
		field, rank, ok := e.Lookup(param)
		if !ok || rank != 0 || seen[field] != "" || int(field) >= e.Fields() {
			t.Errorf("%s: field %d, rank %d, known %v, shared with %q", param, field, rank, ok, seen[field])
		}
		if field < endpoint.FieldKeptEnd && field.Name() != param {
			t.Errorf("%s is called %s", param, field.Name())
		}
		seen[field] = param
	}
	for i, conversionType := range config.BuiltinTypes() {
		if param := conversionType + config.ParamStatusSuffix; seen[e.TrainingField(i)] != param {
			t.Errorf("training field %d belongs to %s, want %s", i, seen[e.TrainingField(i)], param)
		}
	}
}

func TestLookup(t *testing.T) {
	e := compile(t, full())
	// ranked lists names of one field as they go before each other.
	for field, ranked := range map[endpoint.Field][]string{
		endpoint.FieldSubid:                      {"subid", "sub_id", "clickid", "cid"},
		endpoint.FieldPayout:                     {"payout", "revenue", "profit", "sum"},
		endpoint.FieldIgnoreStatus:               {"ignore_status", "ignore"},
		endpoint.FieldSubID1 + config.SubIDs - 1: {"sub_id_30", "last"},
		endpoint.FieldSignature:                  {"sig"},
		e.TrainingField(2):                       {"rejected_status", "reject_status"},
		e.TrainingField(6):                       {"bet_status"},
		e.TrainingField(7):                       {"up_status"},
	} {
		last := -1
		for _, name := range ranked {
			got, rank, ok := e.Lookup(name)
			if !ok || got != field || rank <= last {
				t.Errorf("%s: field %d, rank %d after %d, known %v, want field %d", name, got, rank, last, ok, field)
			}
			last = rank
		}
	}
	for _, name := range []string{"", "Subid", "sub_id_0", "sub_id_31", "sub_id_01", "first_bet_status", "signature",
		"kw"} {
		if field, _, ok := e.Lookup(name); ok {
			t.Errorf("%q is known as field %d", name, field)
		}
	}
}
