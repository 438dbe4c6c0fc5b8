package presets

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

// PostbackURL is one URL to paste at the sender.
type PostbackURL struct {
	// Event is the sender's name of what the URL is for; empty where one URL serves all.
	Event string `yaml:"event,omitempty" json:"event,omitempty"`
	// Type is the conversion type of the event, as the URL says.
	Type string `yaml:"type,omitempty" json:"type,omitempty"`
	URL  string `yaml:"url" json:"url"`
}

// urlOrder is the order of parameters in a URL; the others follow in the contract's order.
var urlOrder = []string{
	config.ParamSubid, config.ParamStatus, config.ParamPayout, config.ParamCurrency, config.ParamTid,
}

// URL returns what to paste at the sender: the postback URL, whose base is like https://pb.example.com/KEY/postback,
// with the sender's macros. There is one URL for each event where the sender has no macro for the status. Macros are
// written as they are, not encoded: the sender looks for them as text.
func URL(e Entry, base string) ([]PostbackURL, error) {
	if err := checkBase(base); err != nil {
		return nil, err
	}
	if e.Postback[config.ParamSubid].text() == "" {
		return nil, fmt.Errorf("%s: nothing is known of its macros", e.ID)
	}
	if e.Postback[config.ParamStatus].text() != "" {
		return []PostbackURL{{URL: base + "?" + e.query(e.Postback[config.ParamStatus].text())}}, nil
	}
	urls := make([]PostbackURL, 0, len(e.Events))
	for _, event := range e.Events {
		urls = append(urls, PostbackURL{Event: event.Name, Type: event.Type, URL: base + "?" + e.query(event.Type)})
	}
	return urls, nil
}

func checkBase(base string) error {
	parsed, err := url.Parse(base)
	if err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
		return errors.New("the base must be an address like https://pb.example.com/KEY/postback")
	}
	if parsed.RawQuery != "" || parsed.Fragment != "" || strings.ContainsAny(base, "?#") {
		return errors.New("the base must end before the question mark")
	}
	return nil
}

// query is what follows the question mark.
func (e *Entry) query(status string) string {
	var pairs []string
	for _, name := range e.parameters() {
		text := e.Postback[name].text()
		if name == config.ParamStatus {
			text = status
		}
		pairs = append(pairs, name+"="+text)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Extra)) {
		pairs = append(pairs, name+"="+e.Extra[name].text())
	}
	return strings.Join(pairs, "&")
}

// parameters returns what is in the URL, in its order: the facts, and the status in any case. A transaction id that is
// new with every postback is left out: each change of a conversion would make another one.
func (e *Entry) parameters() []string {
	var names []string
	for _, name := range append(slices.Clone(urlOrder), config.CanonicalParameters()...) {
		fact, known := e.Postback[name]
		if name != config.ParamStatus && (!known || fact.Per == PerPostback) || slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
	}
	return names
}
