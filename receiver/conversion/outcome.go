package conversion

// Outcome is what became of a received postback (docs/semantics.md §1).
type Outcome string

// The outcomes. A held or spooled postback is durable; its final outcome follows.
const (
	Recorded   Outcome = "recorded"
	Duplicate  Outcome = "duplicate"
	Ignored    Outcome = "ignored"
	Refused    Outcome = "refused"
	Held       Outcome = "held"
	Spooled    Outcome = "spooled"
	Superseded Outcome = "superseded"
)

// Reason says why a postback was ignored or refused.
type Reason string

// The reasons, in the order of processing (docs/semantics.md §3).
const (
	MethodNotAllowed      Reason = "method_not_allowed"
	RequestTooLarge       Reason = "request_too_large"
	RequestUnreadable     Reason = "request_unreadable"
	IPNotAllowed          Reason = "ip_not_allowed"
	SignatureInvalid      Reason = "signature_invalid"
	SignatureExpired      Reason = "signature_expired"
	RateLimited           Reason = "rate_limited"
	OriginNotAllowed      Reason = "origin_not_allowed"
	SubIDMissing          Reason = "subid_missing"
	SubIDUnresolvedMacro  Reason = "subid_unresolved_macro"
	SubIDMalformed        Reason = "subid_malformed"
	StatusMissing         Reason = "status_missing"
	StatusIgnored         Reason = "status_ignored"
	StatusUnresolvedMacro Reason = "status_unresolved_macro"
	StatusUnknown         Reason = "status_unknown"
	TypeNotAllowed        Reason = "type_not_allowed"
	TIDMalformed          Reason = "tid_malformed"
	ClickNotFound         Reason = "click_not_found"
	ClickExpired          Reason = "click_expired"
	PayoutOverLimit       Reason = "payout_over_limit"
	PayoutNotAddable      Reason = "payout_not_addable"
	StatusRegression      Reason = "status_regression"
	AlreadyRecorded       Reason = "already_recorded"
	PageMayNotChange      Reason = "page_may_not_change"
	CorrectedByHand       Reason = "corrected_by_hand"
)

// Warning says that a recorded postback was not as it should be.
type Warning string

// The warnings.
const (
	RequestRepaired     Warning = "request_repaired"
	CharsetGuessed      Warning = "charset_guessed"
	ParamsDropped       Warning = "params_dropped"
	BodyIgnored         Warning = "body_ignored"
	ParameterTooLong    Warning = "parameter_too_long"
	ConflictingAliases  Warning = "conflicting_aliases"
	AmbiguousTraining   Warning = "ambiguous_training"
	TIDUnresolvedMacro  Warning = "tid_unresolved_macro"
	PayoutAmbiguous     Warning = "payout_ambiguous"
	PayoutUnreadable    Warning = "payout_unreadable"
	CostAmbiguous       Warning = "cost_ambiguous"
	CostUnreadable      Warning = "cost_unreadable"
	CurrencyConflict    Warning = "currency_conflict"
	CurrencyUnresolved  Warning = "currency_unresolved_macro"
	CurrencyUnknown     Warning = "currency_unknown"
	DateUnreadable      Warning = "date_unreadable"
	DateInFuture        Warning = "date_in_future"
	OverwroteOtherType  Warning = "overwrote_other_type"
	PayoutOverLimitLate Warning = "payout_over_limit"
)
