package forward

import (
	"slices"
	"strconv"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// delays are between the attempts at an S2S postback (docs/semantics.md §6). After one attempt more it has failed.
var delays = []time.Duration{
	5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour,
}

const (
	// maxOther is how often a postback is sent to who answers that it does not want it.
	maxOther = 2
	// maxRuleRemoved is how often a rule is looked for: a configuration may come later than a conversion.
	maxRuleRemoved = 4
	// maxRetryAfter bounds what a host may ask for.
	maxRetryAfter = 24 * time.Hour
	// maxAttempts are kept for each postback.
	maxAttempts = 20
)

// kind says what an attempt means for the next one.
type kind int

const (
	// delivered: the host has it.
	delivered kind = iota
	// retryable: it may want it later.
	retryable
	// other: it, or this receiver, says that it is not to be sent so.
	other
	// ruleRemoved: there is nothing to send it by.
	ruleRemoved
)

// isSuccess is what counts where no rule says what it expects.
func isSuccess(status int) bool { return status >= 200 && status < 300 }

// kindOf judges by what the rule expects.
func kindOf(a *ledger.Attempt, expects func(status int) bool) kind {
	switch {
	case a.Error == ledger.AttemptRuleRemoved:
		return ruleRemoved
	case a.Error == ledger.AttemptPrivate, a.Error == ledger.AttemptPort, a.Error == ledger.AttemptURL:
		return other
	case a.Error != "":
		return retryable
	case expects(a.Status):
		return delivered
	case a.Status == 408, a.Status == 425, a.Status == 429, a.Status >= 500:
		return retryable
	}
	return other
}

// circumstances are what a verdict depends on besides the attempt.
type circumstances struct {
	// expects says which statuses mean success.
	expects func(status int) bool
	// retryAfter is what the host asked for, 0 if it asked for nothing.
	retryAfter time.Duration
	// now is when the attempt ended; jitter is between 0 and 1.
	now    time.Time
	jitter float64
}

// judge returns the row as it stands after an attempt.
func judge(row ledger.OutboxRow, a ledger.Attempt, c circumstances) ledger.OutboxRow {
	row.Tries++
	row.Attempts = append(slices.Clone(row.Attempts[max(0, len(row.Attempts)+1-maxAttempts):]), a)
	what := kindOf(&a, c.expects)
	switch {
	case what == delivered:
		row.State, row.Ended = ledger.ForwardDelivered, c.now
	case row.Tries > len(delays),
		what == other && alike(row, what, c.expects) >= maxOther,
		what == ruleRemoved && alike(row, what, c.expects) >= maxRuleRemoved:
		row.State, row.Ended, row.Reason = ledger.ForwardFailed, c.now, reasonOf(&a)
	default:
		wait := delays[row.Tries-1]
		wait += time.Duration((c.jitter - 0.5) * 0.4 * float64(wait)) // a fifth more or less
		row.Due = c.now.Add(max(wait, min(c.retryAfter, maxRetryAfter)))
	}
	return row
}

// alike counts the attempts of this kind since the postback was written or asked for again.
func alike(row ledger.OutboxRow, what kind, expects func(status int) bool) (n int) {
	for i := max(0, len(row.Attempts)-row.Tries); i < len(row.Attempts); i++ {
		if kindOf(&row.Attempts[i], expects) == what {
			n++
		}
	}
	return n
}

// reasonOf says why a postback was given up.
func reasonOf(a *ledger.Attempt) string {
	if a.Error != "" {
		return string(a.Error)
	}
	return "status_" + strconv.Itoa(a.Status)
}
