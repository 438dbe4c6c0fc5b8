package conversion

import "slices"

var outcomes = [...]Outcome{Recorded, Duplicate, Ignored, Refused, Held, Spooled, Superseded}

var reasons = [...]Reason{
	MethodNotAllowed, RequestTooLarge, RequestUnreadable, IPNotAllowed, SignatureInvalid,
	SignatureExpired, RateLimited, OriginNotAllowed,
	SubIDMissing, SubIDUnresolvedMacro, SubIDMalformed, StatusMissing, StatusIgnored,
	StatusUnresolvedMacro, StatusUnknown, TypeNotAllowed, TIDMalformed, ClickNotFound, ClickExpired, PayoutOverLimit,
	PayoutNotAddable,
	StatusRegression, AlreadyRecorded, PageMayNotChange, CorrectedByHand,
}

// Outcomes returns every outcome.
func Outcomes() []Outcome { return slices.Clone(outcomes[:]) }

// Reasons returns every reason, in the order of processing.
func Reasons() []Reason { return slices.Clone(reasons[:]) }

// Warnings returns every warning, in the order of processing.
func Warnings() []Warning { return slices.Clone(warnings[:]) }

// Valid reports whether w is one of [Warnings].
func (w Warning) Valid() bool { return slices.Contains(warnings[:], w) }

// Valid reports whether o is one of [Outcomes].
func (o Outcome) Valid() bool { return slices.Contains(outcomes[:], o) }

// Valid reports whether r is one of [Reasons].
func (r Reason) Valid() bool { return slices.Contains(reasons[:], r) }

// Outcome returns the outcome that goes with the reason: what is wrong with the request itself, or with who sent it, is
// refused; everything else is ignored.
func (r Reason) Outcome() Outcome {
	switch r {
	case MethodNotAllowed, RequestTooLarge, RequestUnreadable, IPNotAllowed, SignatureInvalid, SignatureExpired,
		RateLimited, OriginNotAllowed, TypeNotAllowed:
		return Refused
	}
	return Ignored
}

var warnings = [...]Warning{
	RequestRepaired, CharsetGuessed, ParamsDropped, BodyIgnored, ParameterTooLong, ConflictingAliases, AmbiguousTraining,
	TIDUnresolvedMacro, PayoutAmbiguous, PayoutUnreadable, CostAmbiguous, CostUnreadable, CurrencyConflict,
	CurrencyUnresolved, CurrencyUnknown, DateUnreadable, DateInFuture, OverwroteOtherType, PayoutOverLimitLate,
}
