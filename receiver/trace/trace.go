// Package trace owns the record of how a postback was judged: the steps that were taken, in their order, each with
// what was looked at, where it came from, and what came of it. It decides nothing. The judge adds the steps, if
// somebody asks for them: a nil [Trace] takes none, and costs nothing. It is pure, and must not import anything of the
// receiver.
package trace

// Name says what a step is about.
type Name string

// The names, in the order of docs/semantics.md §3.
const (
	Key       Name = "key"
	Access    Name = "access"
	Parameter Name = "parameter"
	SubID     Name = "subid"
	Status    Name = "status"
	TID       Name = "tid"
	Payout    Name = "payout"
	Cost      Name = "cost"
	Date      Name = "date"
	Click     Name = "click"
	Slot      Name = "slot"
	Change    Name = "change"
	Forward   Name = "s2s"
)

// Step is one thing that was looked at.
type Step struct {
	Name Name
	// About is the field, the check or the rule, where a postback has several of that name.
	About string
	// Value is what was looked at, as it was sent or recorded; empty if it was not there.
	Value string
	// From is where the value came from: `query:clickid`.
	From string
	// By is what decided: a level of training, an alias, a policy, a rate.
	By string
	// Result is what came of it.
	Result string
	// Reason is why the postback goes no further, or why a rule sends nothing; empty if it does.
	Reason string
	// Warnings that the step made.
	Warnings []string
}

// Trace takes the steps of one postback. It is not safe for concurrent use.
type Trace struct{ Steps []Step }

// Add adds a step. Callers on the hot path look whether t is nil before they make one.
func (t *Trace) Add(s Step) {
	if t != nil {
		t.Steps = append(t.Steps, s)
	}
}

// Reason returns why the postback went no further; "" if it did.
func (t *Trace) Reason() string {
	for _, s := range t.Steps {
		if s.Reason != "" && s.Name != Forward {
			return s.Reason
		}
	}
	return ""
}
