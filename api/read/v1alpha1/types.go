package v1alpha1

import "time"

// Page is the answer of a list: newest first, a part of what there is.
type Page[T any] struct {
	Items []T `json:"items"`
	// NextCursor continues the list as its parameter `cursor`; null at its end.
	NextCursor *string `json:"next_cursor"`
}

// Error is the answer to a request that failed.
type Error struct {
	// Error says in words what is wrong, and begins with the name of the parameter that is.
	Error string `json:"error"`
}

// Conversion is one version of a conversion.
type Conversion struct {
	ID       string `json:"id"`
	Endpoint string `json:"endpoint"`
	SubID    string `json:"subid"`
	// TID is "" for the slot without a transaction id.
	TID          string  `json:"tid"`
	Type         string  `json:"type"`
	PreviousType *string `json:"previous_type"`
	// OriginalStatus is the network's word; null where the policy missingStatus stood in.
	OriginalStatus *string `json:"original_status"`
	// State is `recorded`, or `pending_rate` while an amount waits for a rate.
	State string `json:"state"`
	// Payout and Cost are in Currency, the endpoint's; null while no rate is known. A conversion without a cost has null.
	Payout           *string `json:"payout"`
	Currency         string  `json:"currency"`
	OriginalPayout   string  `json:"original_payout"`
	OriginalCurrency string  `json:"original_currency"`
	// Rate converted the payout; null while none is known. RateDate and RateSource are null when nothing had to be
	// converted.
	Rate       *string `json:"rate"`
	RateDate   *string `json:"rate_date"`
	RateSource *string `json:"rate_source"`
	Cost       *string `json:"cost"`
	// Campaign is the click's; null for an orphan, and for a click of no campaign.
	Campaign *string `json:"campaign"`
	// Test: the click is a test. Tests are in no sum, and are removed after a week.
	Test bool `json:"test"`
	// Params are the sub ids, the click fields, the extra parameters and `from`.
	Params   map[string]string `json:"params"`
	Warnings []string          `json:"warnings"`
	// ClickTime is null for an orphan, SaleTime for what never was a sale.
	ClickTime      *time.Time `json:"click_time"`
	ConversionTime *time.Time `json:"conversion_time"`
	SaleTime       *time.Time `json:"sale_time"`
	CreatedAt      *time.Time `json:"created_at"`
	UpdatedAt      *time.Time `json:"updated_at"`
	// Version counts the changes of the conversion, from 1.
	Version int `json:"version"`
	// Writer says who wrote this version: key, page, person, import or replay.
	Writer string `json:"writer"`
	// Pinned: a person corrected the conversion, and postbacks for it are ignored.
	Pinned bool `json:"pinned"`
}

// Postback is a row of the log of received postbacks.
type Postback struct {
	// ID is the reply's X-Request-Id.
	ID string `json:"id"`
	// Kind says what the row comes from: `postback`, `client` (a page), or `rate` and `hold`, which were not received: a
	// rate has come late, a held postback was settled. `replay`, `import` and `manual` are what people change.
	Kind     string     `json:"kind"`
	Time     *time.Time `json:"time"`
	Endpoint string     `json:"endpoint"`
	KeyID    string     `json:"key_id"`
	IP       string     `json:"ip"`
	Method   string     `json:"method"`
	// ContentType is the header's value, which says how Body is to be read; null without one.
	ContentType *string `json:"content_type"`
	// Query and Body are as received, bounded. The key is part of neither.
	Query string  `json:"query"`
	Body  string  `json:"body"`
	SubID *string `json:"subid"`
	// SubIDFrom is where the request said the subid: query, path, body or cookie, a colon, and the name there; null if it
	// said none.
	SubIDFrom *string `json:"subid_from"`
	TID       string  `json:"tid"`
	Type      *string `json:"type"`
	// Status is the network's word, at most 64 bytes.
	Status   *string  `json:"status"`
	Outcome  string   `json:"outcome"`
	Reason   *string  `json:"reason"`
	Warnings []string `json:"warnings"`
	// Test: the click is a test, as far as it was looked up.
	Test         bool    `json:"test"`
	ConversionID *string `json:"conversion_id"`
	// Version of the conversion that this row made; null if it made none.
	Version *int `json:"version"`
	// Origin is the row that this one settles or replays; null if none.
	Origin *string `json:"origin"`
	// Actor made the change, Note says why, Operation is what it belongs to; null unless a person wanted it.
	Actor     *string `json:"actor"`
	Note      *string `json:"note"`
	Operation *string `json:"operation"`
}

// Forward is an S2S postback. It has no URL but those of the attempts, which leave out whatever may be a token.
type Forward struct {
	ID       string `json:"id"`
	Endpoint string `json:"endpoint"`
	// Rule is the name of the endpoint's forward, Host where it sends to.
	Rule         string `json:"rule"`
	Host         string `json:"host"`
	SubID        string `json:"subid"`
	TID          string `json:"tid"`
	ConversionID string `json:"conversion_id"`
	// Type and Version say what is reported: which version of the conversion.
	Type    string `json:"type"`
	Version int    `json:"version"`
	// Test: the conversion is a test, and the rule sends tests.
	Test bool `json:"test"`
	// State is `waiting`, `delivered` or `failed`.
	State string `json:"state"`
	// Reason says why it failed; null otherwise.
	Reason    *string    `json:"reason"`
	CreatedAt *time.Time `json:"created_at"`
	// DueAt is when it is sent next; null unless it waits. EndedAt is when it was delivered or given up.
	DueAt   *time.Time `json:"due_at"`
	EndedAt *time.Time `json:"ended_at"`
	// Tries counts the attempts since it was written, or asked for again; Attempts are the last 20.
	Tries    int       `json:"tries"`
	Attempts []Attempt `json:"attempts"`
	// Operation is the last one that has had it sent again; null if none has.
	Operation *string `json:"operation"`
}

// Attempt is one request of an S2S postback. Without an answer Status is null, and Error says why.
type Attempt struct {
	At           *time.Time `json:"at"`
	Milliseconds int64      `json:"ms"`
	Status       *int       `json:"status"`
	Error        *string    `json:"error"`
	URL          *string    `json:"url"`
	Answer       *string    `json:"answer"`
	// Location is where a redirect points, without its query; null without one.
	Location *string `json:"location"`
}

// Revenue is what one endpoint earned in one currency. An endpoint whose currency was changed has several.
type Revenue struct {
	Endpoint string `json:"endpoint"`
	Currency string `json:"currency"`
	// Total is Confirmed and Deposit.
	Total string `json:"total"`
	// Hold and Confirmed have the custom types in them that count so.
	Hold         string `json:"hold"`
	Confirmed    string `json:"confirmed"`
	Rejected     string `json:"rejected"`
	Registration string `json:"registration"`
	Deposit      string `json:"deposit"`
	Trash        string `json:"trash"`
	// Custom are the sums of the custom types by name; absent if there are none.
	Custom map[string]string `json:"custom,omitempty"`
	// Conversions is how many there are; Pending of them wait for a rate and are in no sum.
	Conversions int `json:"conversions"`
	Pending     int `json:"pending"`
}

// Talkers are those who send most to one receiver, and those to whom most is sent: the greatest first.
type Talkers struct {
	// WindowSeconds is for how long a request counts.
	WindowSeconds int      `json:"window_seconds"`
	Sources       []Talker `json:"sources"`
	Endpoints     []Talker `json:"endpoints"`
}

// Talker is one source, or one endpoint.
type Talker struct {
	// Name is an address, of IPv6 its /64, or an endpoint's namespace/name.
	Name string `json:"name"`
	// Requests is how many there were, at least; Refused of them were answered 4xx or 5xx, or with the outcome `refused`.
	Requests int64 `json:"requests"`
	Refused  int64 `json:"refused"`
}

// Report is clicks and conversions, grouped and summed.
type Report struct {
	// Groups are the dimensions by which rows are grouped, Metrics what their columns are, both in the order asked for.
	Groups  []string `json:"groups"`
	Metrics []Metric `json:"metrics"`
	// Time is `click` or `conversion`: by which time conversions are counted. Clicks always count at their own.
	Time string `json:"time"`
	// Zone is the time zone of days and hours. From is the first moment, To the first one after.
	Zone string     `json:"tz"`
	From *time.Time `json:"from"`
	To   *time.Time `json:"to"`
	// Items are the rows. Totals are the sums of all rows, one for each currency, also of those that were cut off.
	Items  []ReportRow `json:"items"`
	Totals []ReportRow `json:"totals"`
	// Footnotes say in words what has to be known to read the numbers.
	Footnotes []string `json:"footnotes"`
	// Source is `rollup`: sums by half hours and campaigns that are kept; or `rows`: the rows themselves.
	Source string `json:"source"`
	// AsOf is up to when everything that was recorded is in it.
	AsOf *time.Time `json:"as_of"`
}

// Metric is a column of a report.
type Metric struct {
	Name string `json:"name"`
	// Unit is `count`, `money`, in the currency of the row, or `percent`.
	Unit  string `json:"unit"`
	Title string `json:"title"`
	// Formula is made of names of metrics; null for what is summed.
	Formula *string `json:"formula"`
}

// ReportRow is a row of a report.
type ReportRow struct {
	// Groups are the values by dimension; empty in a total.
	Groups   map[string]string `json:"groups"`
	Currency string            `json:"currency"`
	// Metrics are the values by name; null where a value cannot be told, such as a rate of no clicks.
	Metrics map[string]*string `json:"metrics"`
}

// Explanation says what would become of a postback, and why.
type Explanation struct {
	// Endpoint is null if the key is of no endpoint.
	Endpoint *string `json:"endpoint"`
	// Steps are what is looked at, in this order.
	Steps []ExplainStep `json:"steps"`
	// Outcome and Reason are those of the received log; both null if the key is of no endpoint.
	Outcome  *string  `json:"outcome"`
	Reason   *string  `json:"reason"`
	Warnings []string `json:"warnings"`
	// Before is the conversion as it is recorded now, After as it would be; null for none. The id of a conversion that
	// would be new is all zeros.
	Before *Conversion  `json:"before"`
	After  *Conversion  `json:"after"`
	Reply  ExplainReply `json:"reply"`
}

// ExplainStep is one thing that is looked at.
type ExplainStep struct {
	// Step is key, access, parameter, subid, status, tid, payout, cost, date, click, slot, change or s2s.
	Step string `json:"step"`
	// About is the check, the parameter, or the rule, where a postback has several steps of that name.
	About *string `json:"about"`
	// Value is what is looked at; of an S2S postback that would be sent the URL, without what may be a token.
	Value *string `json:"value"`
	// From is where the value comes from: `query:clickid`.
	From *string `json:"from"`
	// By is what decides: an alias, a level of training, a policy, a rate.
	By     *string `json:"by"`
	Result *string `json:"result"`
	// Verdict is `ok`, `stop` where the postback goes no further, or `skip` for an S2S rule that sends nothing.
	Verdict string `json:"verdict"`
	// Reason is why it stops.
	Reason   *string  `json:"reason"`
	Warnings []string `json:"warnings"`
	// Note says in words what the reason or the warnings mean, or why a rule sends nothing.
	Note *string `json:"note"`
}

// ExplainReply is what the sender would be answered. The body of an image is left out.
type ExplainReply struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
}

// Click is a visit that the tracker recorded.
type Click struct {
	Endpoint  string     `json:"endpoint"`
	SubID     string     `json:"subid"`
	Time      *time.Time `json:"time"`
	Campaign  *string    `json:"campaign"`
	IP        *string    `json:"ip"`
	UserAgent *string    `json:"user_agent"`
	// Params are the click fields and the sub ids, as postbacks have left them.
	Params map[string]string `json:"params"`
	// Cost is in the endpoint's currency, null while no rate is known; OriginalCost is as it was sent. All null without
	// one.
	Cost             *string `json:"cost"`
	OriginalCost     *string `json:"original_cost"`
	OriginalCurrency *string `json:"original_currency"`
	// Unique: it is the first click of its visitor for some time.
	Unique bool `json:"unique"`
	// Test: all conversions of the click are tests. It is in no sum, and is removed with them after a week.
	Test bool `json:"test"`
	// VisitorFields are the names among Params, and `cost`, whose values a page has set.
	VisitorFields []string `json:"visitor_fields"`
}

// ClickDetails is a click with its conversions, the newest first, at most 1,000.
type ClickDetails struct {
	Click
	Conversions []Conversion `json:"conversions"`
}

// Statuses are the status words that no training knew, the most frequent first.
type Statuses struct {
	Items []Status `json:"items"`
	// Others counts the postbacks with further words: more than 1,000 are not told apart.
	Others int `json:"others"`
}

// Status is a word that a network sends to an endpoint, as it was spelt last.
type Status struct {
	Endpoint string `json:"endpoint"`
	Word     string `json:"word"`
	Count    int    `json:"count"`
	// First and Last are when the first and the last of them were received.
	First *time.Time `json:"first"`
	Last  *time.Time `json:"last"`
	// Type is what the word means by the present configuration, null if it is ignored; By is what decides.
	Type     *string        `json:"type"`
	By       *string        `json:"by"`
	Proposal StatusProposal `json:"proposal"`
}

// StatusProposal is what a word probably means. Nothing is trained by it.
type StatusProposal struct {
	// Type is null if nothing is proposed.
	Type *string `json:"type"`
	// Origin is Preset, Family, Dictionary or None; Confidence is that of the preset's fact, null otherwise.
	Origin     string  `json:"origin"`
	Confidence *string `json:"confidence"`
	Reason     string  `json:"reason"`
}
