// Package presets holds the catalog of presets to what the receiver makes of it.
package presets

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/api/presets"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
)

// withPreset returns an endpoint in USD, all else by default, that declares what applying the preset writes.
func withPreset(t *testing.T, e presets.Entry) *endpoint.Endpoint {
	t.Helper()
	spec := presets.Apply(presets.Fragment{}, e, true).Spec
	c := config.Endpoint{
		Namespace: "ads", Name: "shop", Currency: "USD", Aliases: spec.Aliases,
		Policies: config.Policies{
			MissingStatus: config.PolicyIgnore,
			UnknownStatus: config.PolicyIgnore,
			UnknownClick:  config.UnknownClickIgnore,
			Repeat:        config.RepeatOverwrite,
			Slot:          config.SlotTid,
			Transitions:   config.TransitionsAny,
		},
	}
	for _, rule := range spec.Training {
		c.Training = append(c.Training, config.TrainingRule{Type: rule.Type, Statuses: rule.Statuses})
	}
	if spec.Policies != nil {
		c.Policies.SuccessBody = spec.Policies.SuccessBody
		if spec.Policies.Slot != "" {
			c.Policies.Slot = config.Slot(spec.Policies.Slot)
		}
	}
	if e.Forward != nil && e.Forward.URL != "" {
		c.Forwards = []config.Forward{{
			Name: e.ID, URL: e.Forward.URL, Method: config.MethodGet, Types: e.Forward.Types, Require: e.Forward.Require,
			Resend: config.ResendOnAnyChange,
		}}
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := c.Lint(); err != nil {
		t.Fatal(err)
	}
	compiled, err := endpoint.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// judged judges a query as a receiver does.
func judged(t *testing.T, ep *endpoint.Endpoint, query string) postback.Verdict {
	t.Helper()
	said, err := postback.Read(ep, &request.Request{RawQuery: query})
	if err != nil {
		t.Fatal(err)
	}
	at := postback.Arrival{At: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), IP: "192.0.2.1", RequestID: uuid.New()}
	rates := money.NewTable([]money.FixedRate{
		{From: "EUR", To: "USD", Rate: decimal.RequireFromString("1.10")},
		{From: "RUB", To: "USD", Rate: decimal.RequireFromString("0.0125")},
	}, nil)
	return postback.Judge(ep, said, at, rates)
}

// Every example of the catalog means what the catalog says, judged by the receiver's own judge with the preset applied;
// so does every status word of it, and every word of an event's URL.
func TestPresetsMeanWhatTheySay(t *testing.T) {
	for _, e := range presets.Builtin().List() {
		t.Run(e.ID, func(t *testing.T) {
			ep := withPreset(t, e)
			examples := e.Examples
			for _, s := range e.Statuses {
				query := "subid=c1&status=" + url.QueryEscape(strings.ToUpper(s.Word))
				examples = append(examples, presets.Example{Query: query, Type: s.Type})
			}
			for _, event := range e.Events {
				examples = append(examples, presets.Example{Query: "subid=c1&status=" + event.Type, Type: event.Type})
			}
			for _, example := range examples {
				v := judged(t, ep, example.Query)
				if v.Intent == nil || v.Type != example.Type || v.SubID != "c1" {
					t.Errorf("%s: subid %q, type %q, reason %q", example.Query, v.SubID, v.Type, v.Reason)
				}
				if len(v.Warnings) > 0 {
					t.Errorf("%s: warnings %v", example.Query, v.Warnings)
				}
			}
		})
	}
}

// A sender that does not replace a macro is found out: the URL as it is pasted records nothing.
func TestThePastedURLItselfRecordsNothing(t *testing.T) {
	for _, e := range presets.Builtin().List() {
		urls, err := presets.URL(e, "https://pb.example.com/KEY/postback")
		if err != nil {
			continue
		}
		for _, u := range urls {
			_, query, _ := strings.Cut(u.URL, "?")
			if v := judged(t, withPreset(t, e), query); v.Intent != nil || v.Reason == "" {
				t.Errorf("%s: %s is recorded as %s for subid %q", e.ID, query, v.Type, v.SubID)
			}
		}
	}
}
