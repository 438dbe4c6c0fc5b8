package v1alpha1

import "time"

// Endpoint is what a receiver serves for one tenant. It has no key and no digest of one.
type Endpoint struct {
	// Name is "namespace/name".
	Name     string `json:"name"`
	Currency string `json:"currency"`
	Keys     []Key  `json:"keys"`
	// Types are the built-in conversion types and the custom ones.
	Types    []string       `json:"types"`
	Training []TrainingRule `json:"training"`
	// SuccessBody is what senders are answered when a postback was recorded.
	SuccessBody string `json:"success_body"`
	// Pages: web pages may report conversions by a client key.
	Pages     bool          `json:"pages"`
	Campaigns []Campaign    `json:"campaigns"`
	Forwards  []ForwardRule `json:"forwards"`
}

// Key is a key by its public id.
type Key struct {
	ID string `json:"id"`
	// RetireAt is the moment from which the key is refused; null while it is the active one.
	RetireAt *time.Time `json:"retire_at"`
}

// TrainingRule says which status words mean a type.
type TrainingRule struct {
	Type     string   `json:"type"`
	Statuses []string `json:"statuses"`
}

// Campaign is a link whose visits are clicks.
type Campaign struct {
	Name string `json:"name"`
	// Alias is the path of the link.
	Alias string `json:"alias"`
	// OfferURL is the template of where visitors go.
	OfferURL string `json:"offer_url"`
	// Source is the click's source unless the link says otherwise; null for none.
	Source *string `json:"source"`
}

// ForwardRule is a rule for S2S postbacks, by its name and where it sends to.
type ForwardRule struct {
	Name string `json:"name"`
	Host string `json:"host"`
	// Types that are sent; none = all.
	Types []string `json:"types"`
}
