package operation

import (
	"time"

	"github.com/google/uuid"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// The kinds.
const (
	// KindReplay judges again what was received before.
	KindReplay = "replay"
	// KindImport records the conversions of a text, KindReconcile also finds the conversions that a statement lacks.
	KindImport    = "import"
	KindReconcile = "reconcile"
	// KindResend has S2S postbacks sent again that were given up.
	KindResend = "resend"
	// KindErase forgets what is known of a person.
	KindErase = "erase"
	// KindCosts replaces the costs of clicks.
	KindCosts = "costs"
)

// Kinds returns all kinds.
func Kinds() []string {
	return []string{KindReplay, KindImport, KindReconcile, KindResend, KindErase, KindCosts}
}

// MaxRows bounds the rows of one operation.
const MaxRows = 100_000

// MaxNote and MaxActor bound a note and the name of an actor, in characters.
const (
	MaxNote  = 500
	MaxActor = 200
)

// Invalid is an error of what was asked for. It begins with the name of the parameter that is wrong.
type Invalid string

func (e Invalid) Error() string { return string(e) }

// Spec is what an operation is to do. It is kept in the store as JSON.
type Spec struct {
	// Forwards: S2S postbacks are sent for what changes.
	Forwards bool `json:"forwards"`

	// From (inclusive) and To (exclusive) bound when the rows of a replay were received, when the conversions of a
	// statement were recorded first, and when S2S postbacks were written; zero = not.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Outcome, Reason and Status select rows by those words; empty = any that may be replayed. IDs select the rows
	// themselves; none = all.
	Outcome conversion.Outcome `json:"outcome,omitempty"`
	Reason  conversion.Reason  `json:"reason,omitempty"`
	Status  string             `json:"status,omitempty"`
	IDs     []uuid.UUID        `json:"ids,omitempty"`
	// IncludeRefused and IncludeRecorded select more than what was ignored.
	IncludeRefused  bool `json:"include_refused,omitempty"`
	IncludeRecorded bool `json:"include_recorded,omitempty"`

	// Rule and Failure select S2S postbacks by their forward, and by why they failed; empty = any.
	Rule    string `json:"rule,omitempty"`
	Failure string `json:"failure,omitempty"`
	// PerSecond bounds how many rows are applied in a second; 0 = as fast as operations go.
	PerSecond int `json:"per_second,omitempty"`

	// Orphans: lines whose click is not known are recorded all the same.
	Orphans bool `json:"orphans,omitempty"`
	// Costs are spread over clicks.
	Costs []Cost `json:"costs,omitempty"`
	// By says how an erasure was asked for: by subid, ip or parameter.
	By string `json:"by,omitempty"`
	// InputSHA256 tells texts apart. An erasure has none: an address could be guessed from it.
	InputSHA256 string `json:"input_sha256,omitempty"`
}

// Request asks for an operation.
type Request struct {
	Kind, Endpoint, Actor, Note string
	DryRun                      bool
	Spec                        Spec
	// Key names the request, so that one which is sent again asks for nothing new; empty = it has no name.
	Key string
	// Input is the text of an import.
	Input string
	// Erase says whose data an erasure is about; its Endpoint is not looked at.
	Erase ledger.Selection
}

// SendsByDefault reports whether S2S postbacks are sent for what an operation of the kind changes, where nobody says.
func SendsByDefault(kind string) bool { return kind == KindReplay }

// Outcomes are those that rows may have.
func Outcomes() []string {
	names := []string{OutcomeUnreplayable, OutcomeMissing, OutcomeResent, OutcomeSkipped, OutcomeErased, OutcomeUpdated}
	for _, outcome := range conversion.Outcomes() {
		names = append(names, string(outcome))
	}
	return names
}
