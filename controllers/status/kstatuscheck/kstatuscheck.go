// Package kstatuscheck holds statuses to the rules by which kstatus, kubectl wait, Helm and Argo CD read them: one
// function a rule. Tests run it over every status they see.
package kstatuscheck

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Object is what the rules look at.
type Object struct {
	Generation         int64
	ObservedGeneration int64
	Conditions         []metav1.Condition
	// Deleted objects are about to go, whatever they say of themselves.
	Deleted bool
}

// State is how kstatus reads an object.
type State string

// The states an existing object can be in.
const (
	InProgress  State = "InProgress"
	Current     State = "Current"
	Failed      State = "Failed"
	Terminating State = "Terminating"
)

var rules = []func(Object) error{
	readyIsThere,
	abnormalConditionsOnlyWhileTrue,
	reconcilingOrStalled,
	notReadyHasACause,
	readyHasNone,
	generationsAreNotOfTheFuture,
	conditionsAreComplete,
}

// Check returns every rule that a status breaks, joined.
func Check(o Object) error {
	var broken []error
	for _, rule := range rules {
		broken = append(broken, rule(o))
	}
	return errors.Join(broken...)
}

// Read computes the state as kstatus does for a custom resource.
func Read(o Object) State {
	switch {
	case o.Deleted:
		return Terminating
	case o.ObservedGeneration != o.Generation:
		return InProgress
	case meta.IsStatusConditionTrue(o.Conditions, v1alpha1.ConditionStalled):
		return Failed
	case meta.IsStatusConditionTrue(o.Conditions, v1alpha1.ConditionReconciling),
		!meta.IsStatusConditionTrue(o.Conditions, v1alpha1.ConditionReady):
		return InProgress
	}
	return Current
}

func readyIsThere(o Object) error {
	if meta.FindStatusCondition(o.Conditions, v1alpha1.ConditionReady) == nil {
		return errors.New("there is no condition Ready: kstatus would call it Current")
	}
	return nil
}

func abnormalConditionsOnlyWhileTrue(o Object) error {
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled,
		v1alpha1.ConditionAcknowledgedMissing} {
		if c := meta.FindStatusCondition(o.Conditions, kind); c != nil && c.Status != metav1.ConditionTrue {
			return fmt.Errorf("%s is %s: it must be True or not be there", kind, c.Status)
		}
	}
	return nil
}

func progress(o Object) (reconciling, stalled bool) {
	return meta.IsStatusConditionTrue(o.Conditions, v1alpha1.ConditionReconciling),
		meta.IsStatusConditionTrue(o.Conditions, v1alpha1.ConditionStalled)
}

func reconcilingOrStalled(o Object) error {
	if reconciling, stalled := progress(o); reconciling && stalled {
		return errors.New("it is Reconciling and Stalled at once")
	}
	return nil
}

func notReadyHasACause(o Object) error {
	reconciling, stalled := progress(o)
	if !meta.IsStatusConditionTrue(o.Conditions, v1alpha1.ConditionReady) && !reconciling && !stalled {
		return errors.New("it is not Ready and neither Reconciling nor Stalled")
	}
	return nil
}

func readyHasNone(o Object) error {
	reconciling, stalled := progress(o)
	if meta.IsStatusConditionTrue(o.Conditions, v1alpha1.ConditionReady) && (reconciling || stalled) {
		return errors.New("it is Ready and Reconciling or Stalled")
	}
	return nil
}

func generationsAreNotOfTheFuture(o Object) error {
	if o.ObservedGeneration <= 0 || o.ObservedGeneration > o.Generation {
		return fmt.Errorf("observedGeneration is %d, the generation %d", o.ObservedGeneration, o.Generation)
	}
	for _, c := range o.Conditions {
		if c.ObservedGeneration != o.ObservedGeneration {
			return fmt.Errorf("%s is about generation %d, the status about %d", c.Type, c.ObservedGeneration,
				o.ObservedGeneration)
		}
	}
	return nil
}

func conditionsAreComplete(o Object) error {
	for _, c := range o.Conditions {
		if c.Reason == "" || c.LastTransitionTime.IsZero() || strings.TrimSpace(c.Message) == "" {
			return fmt.Errorf("%s lacks a reason, a message or its time", c.Type)
		}
	}
	return nil
}

// World is what is the case while a status stands.
type World struct {
	// Revision is what the status says that receivers serve; empty of a fleet, which says it of its whole configuration.
	Revision string
	// Receivers are the revisions that the ready receivers serve, each at its own.
	Receivers []string
	// Address says why the address that users are given leads elsewhere; nil if it leads to the receivers.
	Address error
}

// CheckReady returns why Ready is untrue: it is to imply that every receiver serves what is declared, and that the
// address leads to them. What is deleted serves nobody, and nobody reads its Ready.
func CheckReady(o Object, w World) error {
	ready := meta.FindStatusCondition(o.Conditions, v1alpha1.ConditionReady)
	if o.Deleted || ready == nil || ready.Status != metav1.ConditionTrue || ready.Reason == v1alpha1.ReasonScaledToZero {
		return nil
	}
	var broken []error
	if len(w.Receivers) == 0 {
		broken = append(broken, errors.New("it is Ready, and there is no ready receiver"))
	}
	for _, served := range w.Receivers {
		if served != w.Revision {
			broken = append(broken, fmt.Errorf("it is Ready in revision %q, and a receiver serves %q", w.Revision, served))
		}
	}
	if w.Address != nil {
		broken = append(broken, fmt.Errorf("it is Ready, and its address leads elsewhere: %w", w.Address))
	}
	return errors.Join(broken...)
}
