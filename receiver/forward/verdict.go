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

func kindOf(a *ledger.Attempt) kind {
	switch {
	case a.Error == ledger.AttemptRuleRemoved:
		return ruleRemoved
	case a.Error == ledger.AttemptPrivate, a.Error == ledger.AttemptPort, a.Error == ledger.AttemptURL:
		return other
	case a.Error != "":
		return retryable
	case a.Status >= 200 && a.Status < 300:
		return delivered
	case a.Status == 408, a.Status == 425, a.Status == 429, a.Status >= 500:
		return retryable
	}
	return other
}

// judge returns the row as it stands after an attempt that ended at now. retryAfter is what the host asked for, 0 if it
// asked for nothing; jitter is between 0 and 1.
func judge(row ledger.OutboxRow, a ledger.Attempt, retryAfter time.Duration, now time.Time, jitter float64) ledger.OutboxRow {
	row.Tries++
	row.Attempts = append(slices.Clone(row.Attempts[max(0, len(row.Attempts)+1-maxAttempts):]), a)
	what := kindOf(&a)
	switch {
	case what == delivered:
		row.State, row.Ended = ledger.ForwardDelivered, now
	case row.Tries > len(delays),
		what == other && alike(row, what) >= maxOther,
		what == ruleRemoved && alike(row, what) >= maxRuleRemoved:
		row.State, row.Ended, row.Reason = ledger.ForwardFailed, now, reasonOf(&a)
	default:
		wait := delays[row.Tries-1]
		wait += time.Duration((jitter - 0.5) * 0.4 * float64(wait)) // a fifth more or less
		row.Due = now.Add(max(wait, min(retryAfter, maxRetryAfter)))
	}
	return row
}

// alike counts the attempts of this kind since the postback was written or asked for again.
func alike(row ledger.OutboxRow, what kind) (n int) {
	for i := max(0, len(row.Attempts)-row.Tries); i < len(row.Attempts); i++ {
		if kindOf(&row.Attempts[i]) == what {
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
