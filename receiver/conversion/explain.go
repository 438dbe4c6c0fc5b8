package conversion

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

// Explain decides as [Apply] does, and adds the steps to t: the click, the slot, what becomes of it, and each S2S rule.
func Explain(in *Intent, prev *Conversion, click *Click, t *trace.Trace) Decision {
	d := Apply(in, prev, click)
	stop, met := meetClick(in, click)
	t.Add(trace.Step{
		Name:   trace.Click,
		Value:  in.SubID,
		By:     clickPolicy(in, click),
		Result: describeClick(in, click, stop.Outcome),
		Reason: string(stop.Reason),
	})
	if !met {
		return d
	}
	t.Add(trace.Step{Name: trace.Slot, Value: describeSlot(in), Result: describeVersion(prev)})
	t.Add(trace.Step{
		Name:     trace.Change,
		Value:    describeVersion(prev),
		Result:   describeChange(&d),
		Reason:   string(d.Reason),
		Warnings: newWarnings(in, d.Next),
	})
	if d.Next == nil {
		return d
	}
	if d.Click != nil {
		click = d.Click
	}
	for i := range in.Rules.Forwards {
		rule := &in.Rules.Forwards[i]
		step := trace.Step{Name: trace.Forward, About: rule.Name, Value: rule.Host, Result: "is sent"}
		if !slices.Contains(d.Forwards, rule.Name) {
			step.Result, step.Reason = "is not sent", rule.misses(prev, d.Next, click)
			if step.Reason == "" {
				step.Reason = "nothing that is sent has changed"
			}
		}
		t.Add(step)
	}
	return d
}

// clickPolicy is what decides about a click that is not known, or too old.
func clickPolicy(in *Intent, click *Click) string {
	switch {
	case click == nil:
		return "unknownClick: " + string(in.Rules.UnknownClick)
	case in.Rules.ClickLookback > 0:
		return "clickLookback: " + time.Duration(in.Rules.ClickLookback).String()
	}
	return ""
}

func describeClick(in *Intent, click *Click, stopped Outcome) string {
	switch {
	case click == nil && stopped == Held:
		return "is waited for"
	case click == nil:
		return "not known"
	case click.Campaign == "":
		return fmt.Sprintf("%s, %s before", click.Time.Format(time.RFC3339), in.Received.Sub(click.Time))
	}
	return fmt.Sprintf("%s, %s before, campaign %s", click.Time.Format(time.RFC3339), in.Received.Sub(click.Time),
		click.Campaign)
}

func describeSlot(in *Intent) string {
	if in.Slot.Type != "" {
		return fmt.Sprintf("subid %s, tid %q, type %s", in.SubID, in.Slot.TID, in.Slot.Type)
	}
	return fmt.Sprintf("subid %s, tid %q", in.SubID, in.Slot.TID)
}

func describeVersion(c *Conversion) string {
	if c == nil {
		return "empty"
	}
	return fmt.Sprintf("%s %s, version %d, written by a %s", c.Type, describeAmount(c.Payout), c.Version,
		cmp.Or(c.Writer, WriterKey))
}

func describeAmount(a money.Amount) string {
	if a.Pending() {
		return fmt.Sprintf("%s %s (waits for a rate)", a.Original, a.Currency)
	}
	return a.Converted.String()
}

func describeChange(d *Decision) string {
	if d.Outcome != Recorded {
		return string(d.Outcome)
	}
	return describeVersion(d.Next)
}

func newWarnings(in *Intent, next *Conversion) []string {
	var added []string
	if next == nil {
		return nil
	}
	for _, warning := range next.Warnings {
		if !slices.Contains(in.Warnings, warning) {
			added = append(added, string(warning))
		}
	}
	return added
}
