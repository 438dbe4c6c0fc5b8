// Package argocd holds Argo CD's judgement of the kinds against that of Helm and Flux, which is kstatus.
package argocd

import (
	"encoding/json"
	"testing"
	"time"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/status"
	"github.com/postback-dev/postback-operator/controllers/status/kstatuscheck"
)

// judge runs the script as Argo CD does: without Lua's libraries but the harmless ones, the object in obj.
func judge(t *testing.T, object any) (health, message string) {
	t.Helper()
	data, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	var content any
	if err := json.Unmarshal(data, &content); err != nil {
		t.Fatal(err)
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.BaseLibName:   lua.OpenBase,
		lua.TabLibName:    lua.OpenTable,
		lua.StringLibName: lua.OpenString,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", toLua(state, content))
	if err := state.DoFile("health.lua"); err != nil {
		t.Fatal(err)
	}
	verdict, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("it returns %v", state.Get(-1))
	}
	return verdict.RawGetString("status").String(), verdict.RawGetString("message").String()
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for name, child := range v {
			table.RawSetString(name, toLua(state, child))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, child := range v {
			table.Append(toLua(state, child))
		}
		return table
	case string:
		return lua.LString(v)
	case float64:
		return lua.LNumber(v)
	case bool:
		return lua.LBool(v)
	}
	return lua.LNil
}

// healths are what Argo CD calls what kstatus calls otherwise.
var healths = map[kstatuscheck.State]string{
	kstatuscheck.Current: "Healthy", kstatuscheck.InProgress: "Progressing", kstatuscheck.Failed: "Degraded",
}

// computed is what Helm 4's --wait and Flux read, by the library that they use.
func computed(t *testing.T, object any) kstatus.Status {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	result, err := kstatus.Compute(&unstructured.Unstructured{Object: content})
	if err != nil {
		t.Fatal(err)
	}
	return result.Status
}

func TestArgoCDHelmAndFluxJudgeAlike(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	ready := status.True(v1alpha1.ConditionReady, v1alpha1.ReasonReady, "Every ready receiver serves it.")
	propagating := status.False(v1alpha1.ConditionReady, v1alpha1.ReasonPropagating,
		"Not every ready receiver serves it yet.")
	invalid := status.False(v1alpha1.ConditionReady, v1alpha1.ReasonInvalid, "currency: write one.")
	unknown := status.Unknown(v1alpha1.ConditionReady, v1alpha1.ReasonProgressing, "The fleet has not looked at it yet.")
	conditions := func(stalled bool, finding status.Finding) []metav1.Condition {
		accepted := status.True(v1alpha1.ConditionAccepted, v1alpha1.ReasonAccepted, "It is taken.")
		return status.Conditions(nil, 3, now, stalled, accepted, finding)
	}
	const unseen = "The operator has not looked at it yet."
	for name, test := range map[string]struct {
		generation int64
		conditions []metav1.Condition
		health     string
		message    string
	}{
		"served by every receiver":              {3, conditions(false, ready), "Healthy", ready.Message},
		"on its way":                            {3, conditions(false, propagating), "Progressing", propagating.Message},
		"not looked at by its fleet":            {3, conditions(false, unknown), "Progressing", unknown.Message},
		"only the user can help":                {3, conditions(true, invalid), "Degraded", invalid.Message},
		"new":                                   {3, nil, "Progressing", unseen},
		"ready, and changed since":              {4, conditions(false, ready), "Progressing", unseen},
		"on its way, and changed since":         {4, conditions(false, propagating), "Progressing", unseen},
		"only the user could help, and they do": {4, conditions(true, invalid), "Progressing", unseen},
	} {
		t.Run(name, func(t *testing.T) {
			meta := metav1.ObjectMeta{Name: "shop", Generation: test.generation}
			endpoint := &v1alpha1.PostbackEndpoint{ObjectMeta: meta}
			fleet := &v1alpha1.ReceiverFleet{ObjectMeta: meta}
			campaign := &v1alpha1.Campaign{ObjectMeta: meta}
			endpoint.Status.ObservedGeneration, fleet.Status.ObservedGeneration = -1, -1 // the schema's default
			campaign.Status.ObservedGeneration = -1
			if test.conditions != nil {
				endpoint.Status.ObservedGeneration, fleet.Status.ObservedGeneration = 3, 3
				endpoint.Status.Conditions, fleet.Status.Conditions = test.conditions, test.conditions
				campaign.Status.ObservedGeneration, campaign.Status.Conditions = 3, test.conditions
			}
			for _, object := range []any{endpoint, fleet, campaign} {
				if health, message := judge(t, object); health != test.health || message != test.message {
					t.Errorf("%T is %s: %s", object, health, message)
				}
				if state := computed(t, object); healths[kstatuscheck.State(state)] != test.health {
					t.Errorf("Helm and Flux call %T %s", object, state)
				}
			}
			read := kstatuscheck.Object{
				Generation: test.generation, ObservedGeneration: endpoint.Status.ObservedGeneration, Conditions: test.conditions,
			}
			if state := kstatuscheck.Read(read); healths[state] != test.health {
				t.Errorf("the checker calls it %s", state)
			}
		})
	}
}
