package presets

// Entry is what is known of one network, platform, tracker or traffic source.
type Entry struct {
	// ID is stable and the name of the file: lower-case letters, digits and hyphens.
	ID string `yaml:"id" json:"id"`
	// Title is the name as its owner writes it.
	Title string `yaml:"title" json:"title"`
	Kind  Kind   `yaml:"kind" json:"kind"`
	// Revision counts the changes of the entry, from 1. It is part of the annotation that Apply proposes.
	Revision int `yaml:"revision" json:"revision"`
	// Family is the id of the platform that a network runs on. The entry says only what differs from it. Empty: none.
	Family string `yaml:"family,omitempty" json:"family,omitempty"`
	// Recognise says how a URL gives the entry away. It is not inherited from the family.
	Recognise Recognise `yaml:"recognise,omitempty" json:"recognise,omitzero"`
	// Offer is what to add to the network's offer link, so that the network knows the subid.
	Offer Offer `yaml:"offer,omitempty" json:"offer,omitzero"`
	// Click is, of a traffic source, the macro that it replaces by its click id. It belongs in the campaign's link as
	// external_id.
	Click *Fact `yaml:"click,omitempty" json:"click,omitempty"`
	// Postback are the facts about the parameters of a postback, by canonical parameter.
	Postback map[string]Fact `yaml:"postback,omitempty" json:"postback,omitempty"`
	// Extra are parameters that the sender wants in the URL although the receiver has no use for them.
	Extra map[string]Fact `yaml:"extra,omitempty" json:"extra,omitempty"`
	// Aliases are, by canonical parameter, fixed names that the sender uses and that nobody can change in its URL.
	Aliases map[string]Alias `yaml:"aliases,omitempty" json:"aliases,omitempty"`
	// Statuses are the words that the status macro stands for.
	Statuses []Status `yaml:"statuses,omitempty" json:"statuses,omitempty"`
	// Events are what a sender without a status macro has one URL for, each.
	Events []Event `yaml:"events,omitempty" json:"events,omitempty"`
	// Slot is the slot policy that the sender needs: TidAndType, or empty for the default.
	Slot   string `yaml:"slot,omitempty" json:"slot,omitempty"`
	Sender Sender `yaml:"sender,omitempty" json:"sender,omitzero"`
	// Forward is, of a traffic source, the S2S postback that it takes.
	Forward *Forward `yaml:"forward,omitempty" json:"forward,omitempty"`
	// Quirks are what surprises people, each once.
	Quirks []Quirk `yaml:"quirks,omitempty" json:"quirks,omitempty"`
	// Examples are queries as the sender sends them, judged by the test with the entry applied.
	Examples []Example `yaml:"examples,omitempty" json:"examples,omitempty"`
	// Sources are the pages that the facts were read on.
	Sources []Source `yaml:"sources" json:"sources"`
	// Conflicts are what sources disagree on, with every reading.
	Conflicts []Conflict `yaml:"conflicts,omitempty" json:"conflicts,omitempty"`
	State     State      `yaml:"state" json:"state"`
	// Needs says, in one sentence, what is missing. Mandatory unless the state is Complete.
	Needs string `yaml:"needs,omitempty" json:"needs,omitempty"`
}

// Recognise says how a URL gives an entry away.
type Recognise struct {
	// Macros, brackets and all, that hardly anybody else has.
	Macros []string `yaml:"macros,omitempty" json:"macros,omitempty"`
	// Hosts of tracking links; a host below one of them counts, too.
	Hosts []string `yaml:"hosts,omitempty" json:"hosts,omitempty"`
}

// Offer is what to add to an offer link.
type Offer struct {
	// Parameter is NAME=VALUE, with our macro {subid} in the value.
	Parameter string `yaml:"parameter,omitempty" json:"parameter,omitempty"`
	// Place is Query, or Path if the value is a segment of the path.
	Place      Place      `yaml:"place,omitempty" json:"place,omitempty"`
	Confidence Confidence `yaml:"confidence,omitempty" json:"confidence,omitempty"`
}

// Fact is what stands for the value of one parameter in the postback URL: a macro, or a fixed value.
type Fact struct {
	// Macro as the sender writes it, brackets and all.
	Macro string `yaml:"macro,omitempty" json:"macro,omitempty"`
	// Value is fixed: `usd` as the currency of a network that only pays dollars. One of both is set.
	Value      string     `yaml:"value,omitempty" json:"value,omitempty"`
	Confidence Confidence `yaml:"confidence" json:"confidence"`
	// Per says, of a transaction id, what has one of its own. Empty: not known.
	Per Per `yaml:"per,omitempty" json:"per,omitempty"`
}

// text is what to write into the URL.
func (f Fact) text() string {
	if f.Macro != "" {
		return f.Macro
	}
	return f.Value
}

// Alias are the fixed names of one parameter.
type Alias struct {
	Names      []string   `yaml:"names" json:"names"`
	Confidence Confidence `yaml:"confidence" json:"confidence"`
}

// Status is one word of the sender.
type Status struct {
	Word string `yaml:"word" json:"word"`
	// Type is the built-in conversion type that it means to us.
	Type string `yaml:"type" json:"type"`
	// Meaning is the sender's name for it.
	Meaning    string     `yaml:"meaning,omitempty" json:"meaning,omitempty"`
	Confidence Confidence `yaml:"confidence" json:"confidence"`
}

// Event is what happens at a sender that has a URL of its own for it.
type Event struct {
	// Name of the field, or of the choice, in the sender's form.
	Name       string     `yaml:"name" json:"name"`
	Type       string     `yaml:"type" json:"type"`
	Confidence Confidence `yaml:"confidence" json:"confidence"`
}

// Sender is how postbacks are sent. Facts of it are Documented; what is not known is empty.
type Sender struct {
	Methods []string `yaml:"methods,omitempty" json:"methods,omitempty"`
	// Retries after an answer that is no success, in words.
	Retries string `yaml:"retries,omitempty" json:"retries,omitempty"`
	// Expects is the body that the sender takes for success. It becomes the endpoint's successBody.
	Expects string `yaml:"expects,omitempty" json:"expects,omitempty"`
	// Addresses are the networks that postbacks come from, as CIDRs.
	Addresses []string `yaml:"addresses,omitempty" json:"addresses,omitempty"`
}

// Forward is the S2S postback that a traffic source takes: the fields of spec.forwards, or a sample that has it all.
type Forward struct {
	// Sample is a file of docs/samples with the campaign, its Secret and the forward. The other fields are then empty.
	Sample string `yaml:"sample,omitempty" json:"sample,omitempty"`
	// URL is a template with our macros. Words in capitals are to be replaced by hand.
	URL string `yaml:"url,omitempty" json:"url,omitempty"`
	// Types that are forwarded; none = all.
	Types []string `yaml:"types,omitempty" json:"types,omitempty"`
	// Require are fields that a conversion must have.
	Require []string `yaml:"require,omitempty" json:"require,omitempty"`
	// Confidence of the URL.
	Confidence Confidence `yaml:"confidence" json:"confidence"`
}

// Example is a query as the sender sends it, and the type that the judge gives it.
type Example struct {
	Query string `yaml:"query" json:"query"`
	Type  string `yaml:"type" json:"type"`
}

// Source is a page that facts were read on.
type Source struct {
	URL  string     `yaml:"url" json:"url"`
	Kind SourceKind `yaml:"kind" json:"kind"`
	// Read is the day on which it was read, like 2026-11-29.
	Read string `yaml:"read" json:"read"`
	// Says names the facts that it has: parameters of Postback and Extra, or offer, click, statuses, events, aliases,
	// slot, sender, forward, recognise, quirks.
	Says []string `yaml:"says" json:"says"`
}

// Conflict is what sources disagree on.
type Conflict struct {
	// Fact is named as in Source.Says.
	Fact     string   `yaml:"fact" json:"fact"`
	Readings []string `yaml:"readings" json:"readings"`
}
