package access

import (
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/endpoint"
)

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
