package postback

import (
	"time"

	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/money"
	"github.com/postback-dev/postback-operator/receiver/request"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

// What is here runs only where somebody asks for the steps of a judgement.

// tell adds a step, and those warnings that no earlier step has.
func (v *Verdict) tell(t *trace.Trace, s trace.Step) {
	told := 0
	for i := range t.Steps {
		told += len(t.Steps[i].Warnings)
	}
	for _, warning := range v.Warnings[told:] {
		s.Warnings = append(s.Warnings, string(warning))
	}
	t.Add(s)
}

// tellParameters tells what the request says, in its order: which field each value is for, and which values do not
// count.
func (v *Verdict) tellParameters(t *trace.Trace, ep *endpoint.Endpoint, said *request.Parsed, f Fields, from []int) {
	for i := range said.Values {
		value := &said.Values[i]
		step := trace.Step{
			Name:   trace.Parameter,
			Value:  value.Value,
			From:   said.Source(value).String(),
			Result: "kept",
		}
		if field, rank, known := ep.Lookup(value.Name); known {
			step.About, step.By = ep.FieldName(field), endpoint.Alias(rank)
			switch {
			case len(value.Value) > request.MaxValueBytes && !judgesLength(field):
				step.Result = "too long"
			case f[field] == "" || from[field] != i:
				step.Result = "another value counts"
			default:
				step.Result = "counts"
			}
		}
		v.tell(t, step)
	}
}

func (v *Verdict) tellAmount(t *trace.Trace, name trace.Name, text, currency string, read *money.Amount) {
	step := trace.Step{Name: name, Value: text, Result: "unreadable"}
	switch {
	case read == nil:
	case read.Pending():
		step.Result = read.Original.String() + " " + read.Currency + ", waits for a rate"
	case read.Currency == currency:
		step.Result = read.Converted.String() + " " + currency
	default:
		step.By = read.Original.String() + " " + read.Currency + " × " + read.Rate.Value.String() + " (" + read.Rate.Source +
			")"
		step.Result = read.Converted.String() + " " + currency
	}
	v.tell(t, step)
}

func (v *Verdict) tellDate(t *trace.Trace, sent string, date time.Time) {
	step := trace.Step{Name: trace.Date, Value: sent, Result: "the time of receipt"}
	if !date.IsZero() {
		step.Result = date.Format(time.RFC3339Nano)
	}
	v.tell(t, step)
}
