package access

import (
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/request"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

func TestATraceHasTheChecksUpToTheOneThatRefuses(t *testing.T) {
	ep := compile(t, func(e *config.Endpoint) { e.Access.AllowedCIDRs = []string{"192.0.2.0/24"} })
	a := &Attempt{Endpoint: ep, KeyID: "k1", Request: &request.Request{Method: "GET"}, Trace: &trace.Trace{}}
	reason := a.Check()
	var names []string
	if key := a.Trace.Steps[0]; key.Name != trace.Key || key.Value != "k1" || key.Result != "key" {
		t.Errorf("the first step is %+v", key)
	}
	for _, step := range a.Trace.Steps[1:] {
		names = append(names, step.About)
	}
	if reason != conversion.IPNotAllowed || a.Trace.Reason() != string(reason) || len(names) != 3 || names[2] != "address" {
		t.Errorf("%s after %v, %q", reason, names, a.Trace.Reason())
	}
}
