package v1alpha1

import "time"

// NewOperation asks for an operation. Fields that a kind does not have must be left out.
type NewOperation struct {
	// Kind is `replay`, `import`, `reconcile`, `resend`, `erase` or `costs`.
	Kind string `json:"kind"`
	// Endpoint is "namespace/name". An erasure without one is about all of them.
	Endpoint string `json:"endpoint,omitempty"`
	// DryRun: nothing is changed, and the operation says what would be.
	DryRun bool `json:"dry_run"`
	// Note says why, in at most 500 characters.
	Note string `json:"note"`
	// Forwards is `send` or `skip`: whether S2S postbacks are sent for what changes. Without it a replay
	// sends, and others do not.
	Forwards string `json:"forwards,omitempty"`

	// From and To bound when the postbacks of a replay were received, the conversions of a statement recorded, or S2S
	// postbacks written: RFC 3339 or a date in UTC.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Outcome, Reason and Status select postbacks of a replay; IDs do, or S2S postbacks.
	Outcome string   `json:"outcome,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Status  string   `json:"status,omitempty"`
	IDs     []string `json:"ids,omitempty"`
	// IncludeRefused and IncludeRecorded let a replay select more than what was ignored.
	IncludeRefused  bool `json:"include_refused,omitempty"`
	IncludeRecorded bool `json:"include_recorded,omitempty"`

	// Rule and Failure select S2S postbacks by their forward, and by why they failed. PerSecond is how many are requeued
	// in a second: 50 without it, 500 at most.
	Rule      string `json:"rule,omitempty"`
	Failure   string `json:"failure,omitempty"`
	PerSecond int    `json:"per_second,omitempty"`

	// SubID, IP, or Parameter with Value say what an erasure is about.
	SubID     string `json:"subid,omitempty"`
	IP        string `json:"ip,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	Value     string `json:"value,omitempty"`

	// Costs are spread over clicks, at most 1000 of them. Where several are for the same click, the last one counts.
	Costs []Cost `json:"costs,omitempty"`

	// Text is what an import records and a reconciliation compares.
	Text string `json:"text,omitempty"`
	// Orphans: lines whose click is not known are recorded all the same.
	Orphans bool `json:"orphans,omitempty"`
}

// Cost is an amount that is spread evenly over clicks: it replaces what is recorded of them.
type Cost struct {
	// Campaigns are the names of the clicks' campaigns; without them all clicks are meant.
	Campaigns []string `json:"campaigns,omitempty"`
	// From and To bound the clicks' times: RFC 3339 or a date in UTC.
	From string `json:"from"`
	To   string `json:"to"`
	// Amount in Currency, without it the endpoint's.
	Amount   string `json:"amount"`
	Currency string `json:"currency,omitempty"`
	// Unique: only clicks that are the first of their visitor.
	Unique bool `json:"unique,omitempty"`
	// Params are click fields such as sub_id_1, each with the values of which a click must have one.
	Params map[string][]string `json:"params,omitempty"`
}

// Operation is what a person has many rows changed by.
type Operation struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// Endpoint is null if the operation is about all of them.
	Endpoint *string `json:"endpoint"`
	// State is `running`, `dry_run_done`, `done`, `cancelled` or `failed`.
	State  string  `json:"state"`
	DryRun bool    `json:"dry_run"`
	Actor  *string `json:"actor"`
	Note   *string `json:"note"`
	// CreatedAt is when it was asked for, StartedAt when the first row could be changed.
	CreatedAt *time.Time `json:"created_at"`
	StartedAt *time.Time `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
	// Total is how many rows there are; null before they are selected. Done of them were worked off.
	Total *int `json:"total"`
	Done  int  `json:"done"`
	// Outcomes and Reasons count the rows.
	Outcomes map[string]int `json:"outcomes"`
	Reasons  map[string]int `json:"reasons"`
	// Money is what moved.
	Money []OperationMoney `json:"money"`
	// Forwards counts the S2S postbacks that became due, by rule.
	Forwards map[string]int `json:"forwards"`
	// Erased counts the rows from which an erasure has erased something; null for other kinds.
	Erased *OperationErased `json:"erased"`
	// Clicks counts those that have a new cost; null for other kinds.
	Clicks *int `json:"clicks"`
	// Error says why it failed.
	Error *string `json:"error"`
}

// OperationErased counts rows by what they are.
type OperationErased struct {
	Clicks int64 `json:"clicks"`
	// Conversions counts versions, former ones included.
	Conversions int64 `json:"conversions"`
	Postbacks   int64 `json:"postbacks"`
	// Held counts postbacks that wait for their click, Forwards S2S postbacks.
	Held     int64 `json:"held"`
	Forwards int64 `json:"forwards"`
	// Lines counts those of imports.
	Lines int64 `json:"lines"`
}

// OperationMoney is by how much a revenue metric has changed.
type OperationMoney struct {
	Metric   string `json:"metric"`
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
}

// OperationRow is one thing that an operation does, and what became of it.
type OperationRow struct {
	// Number counts from 1; of an import it is the line.
	Number int `json:"number"`
	// Origin is the row of the log that is replayed, or the S2S postback that is sent again.
	Origin *string `json:"origin"`
	SubID  *string `json:"subid"`
	TID    string  `json:"tid"`
	// Input is what was said: the parameters of a line of an import.
	Input *string `json:"input"`
	// Outcome is that of the log, `unreplayable`, `missing` from a statement, `resent`,
	// `skipped`, `erased` or `updated`; null before the row was
	// worked off.
	Outcome      *string  `json:"outcome"`
	Reason       *string  `json:"reason"`
	Warnings     []string `json:"warnings"`
	ConversionID *string  `json:"conversion_id"`
	// Version is the one that the row made; null if it changed nothing.
	Version *int `json:"version"`
	// PreviousType and PreviousPayout are from before, Type and Payout from after it; null where there was no conversion.
	PreviousType   *string `json:"previous_type"`
	Type           *string `json:"type"`
	PreviousPayout *string `json:"previous_payout"`
	Payout         *string `json:"payout"`
	Currency       *string `json:"currency"`
	// Forwards are the rules whose S2S postbacks became due.
	Forwards []string `json:"forwards"`
}

// OperationDifferences says why a dry run was not run: rows would come out otherwise than it said.
type OperationDifferences struct {
	Error string `json:"error"`
	// Total is how many differ, Differences the first 100 of them.
	Total       int                   `json:"total"`
	Differences []OperationDifference `json:"differences"`
}

// OperationDifference is a row as the dry run said, and as it would come out now.
type OperationDifference struct {
	Then OperationRow `json:"then"`
	Now  OperationRow `json:"now"`
}

// Correction is what a person says of one conversion, for PATCH with the version in If-Match, or of an adjustment.
type Correction struct {
	// Type and Payout replace those that are recorded; what is left out stays. Currency is the payout's, without it the
	// endpoint's. Of an adjustment Payout is what it adds, and Type is the conversion's without one.
	Type     string `json:"type,omitempty"`
	Payout   string `json:"payout,omitempty"`
	Currency string `json:"currency,omitempty"`
	// Note says why, in at most 500 characters.
	Note string `json:"note"`
	// Pin, true without it, keeps postbacks from changing the conversion; Unpin lets them again.
	Pin   *bool `json:"pin,omitempty"`
	Unpin bool  `json:"unpin,omitempty"`
	// Forwards is `send`, also without it, or `skip`: whether S2S postbacks are sent for the change.
	Forwards string `json:"forwards,omitempty"`
}

// NewTest is a postback that is recorded for a test click, which is made unless there is one.
type NewTest struct {
	// Endpoint is "namespace/name"; with a token of an endpoint it may be left out.
	Endpoint string `json:"endpoint,omitempty"`
	// Query is what the postback says. Method is GET, or POST with a Body; without it a Body is a POST's.
	Query       string `json:"query"`
	Method      string `json:"method,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Body        string `json:"body,omitempty"`
	// Note says why, in at most 500 characters.
	Note string `json:"note"`
}
