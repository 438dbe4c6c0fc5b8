package conversion

import "slices"

var outcomes = [...]Outcome{Recorded, Duplicate, Ignored, Refused, Held, Spooled, Superseded}

var reasons = [...]Reason{
	MethodNotAllowed, RequestTooLarge, RequestUnreadable, IPNotAllowed, SignatureInvalid,
	SignatureExpired, RateLimited, OriginNotAllowed,
	SubIDMissing, SubIDUnresolvedMacro, SubIDMalformed, StatusMissing, StatusIgnored,
	StatusUnresolvedMacro, StatusUnknown, TypeNotAllowed, TIDMalformed, ClickNotFound, ClickExpired, PayoutOverLimit, PayoutNotAddable,
	StatusRegression, AlreadyRecorded, PageMayNotChange, CorrectedByHand,
}

// Outcomes returns every outcome.
func Outcomes() []Outcome { return slices.Clone(outcomes[:]) }

// Reasons returns every reason, in the order of processing.
func Reasons() []Reason { return slices.Clone(reasons[:]) }

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
