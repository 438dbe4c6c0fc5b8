package rates

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/money"
)

// format is how one type of provider is asked and understood.
type format struct {
	// url is the provider's public address.
	url    string
	accept string
	// authorize adds the key, if there is one.
	authorize func(r *http.Request, key string)
	// decode reads base, date (zero if absent) and rates.
	decode func(body []byte) (money.Set, error)
}

var formats = map[config.RateProviderType]format{
	config.RateProviderECB: {
		url:       "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml",
		accept:    "application/xml, text/xml",
		authorize: bearer,
		decode:    decodeECB,
	},
	config.RateProviderOpenERAPI: {
		url:       "https://open.er-api.com/v6/latest/USD",
		accept:    "application/json",
		authorize: bearer,
		decode:    decodeOpenERAPI,
	},
	config.RateProviderOpenExchangeRates: {
		url:       "https://openexchangerates.org/api/latest.json",
		accept:    "application/json",
		authorize: appID,
		decode:    decodeOpenExchangeRates,
	},
	config.RateProviderJSON: {
		accept:    "application/json",
		authorize: bearer,
		decode:    decodeJSON,
	},
}

func bearer(r *http.Request, key string) { r.Header.Set("Authorization", "Bearer "+key) }

func appID(r *http.Request, key string) {
	query := r.URL.Query()
	query.Set("app_id", key)
	r.URL.RawQuery = query.Encode()
}

// decodeECB reads eurofxref-daily.xml; of several days, as the historical files have them, the first and newest.
func decodeECB(body []byte) (money.Set, error) {
	var envelope struct {
		XMLName xml.Name `xml:"Envelope"`
		Days    []struct {
			Time  string `xml:"time,attr"`
			Rates []struct {
				Currency string `xml:"currency,attr"`
				Rate     string `xml:"rate,attr"`
			} `xml:"Cube"`
		} `xml:"Cube>Cube"`
	}
	if err := xml.Unmarshal(body, &envelope); err != nil {
		return money.Set{}, fmt.Errorf("reading XML: %w", err)
	}
	if len(envelope.Days) == 0 {
		return money.Set{}, errNoRates
	}
	newest := envelope.Days[0]
	date, err := time.Parse(time.DateOnly, newest.Time)
	if err != nil {
		return money.Set{}, fmt.Errorf("date %.40q is not like 2026-03-02", newest.Time)
	}
	rates := make(map[string]string, len(newest.Rates))
	for _, r := range newest.Rates {
		rates[r.Currency] = r.Rate
	}
	return newSet("EUR", date, rates)
}

// decodeOpenERAPI reads the answer of open.er-api.com/v6/latest.
func decodeOpenERAPI(body []byte) (money.Set, error) {
	var answer struct {
		Result    string    `json:"result"`
		ErrorType string    `json:"error-type"`
		Updated   int64     `json:"time_last_update_unix"`
		Base      string    `json:"base_code"`
		Rates     jsonRates `json:"rates"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return money.Set{}, fmt.Errorf("reading JSON: %w", err)
	}
	if answer.Result != "success" {
		return money.Set{}, fmt.Errorf("the provider answered %.40q: %.100q", answer.Result, answer.ErrorType)
	}
	return newSet(answer.Base, unixDay(answer.Updated), answer.Rates)
}

// decodeOpenExchangeRates reads the answer of openexchangerates.org/api/latest.json.
func decodeOpenExchangeRates(body []byte) (money.Set, error) {
	var answer struct {
		Timestamp int64     `json:"timestamp"`
		Base      string    `json:"base"`
		Rates     jsonRates `json:"rates"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return money.Set{}, fmt.Errorf("reading JSON: %w", err)
	}
	return newSet(answer.Base, unixDay(answer.Timestamp), answer.Rates)
}

// decodeJSON reads {"base", "date", "rates"}; the date is like 2026-03-02 or RFC 3339, or absent.
func decodeJSON(body []byte) (money.Set, error) {
	var answer struct {
		Base  string    `json:"base"`
		Date  string    `json:"date"`
		Rates jsonRates `json:"rates"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return money.Set{}, fmt.Errorf("reading JSON: %w", err)
	}
	if answer.Date == "" {
		return newSet(answer.Base, time.Time{}, answer.Rates)
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if date, err := time.Parse(layout, answer.Date); err == nil {
			return newSet(answer.Base, day(date), answer.Rates)
		}
	}
	return money.Set{}, fmt.Errorf("date %.40q is neither like 2026-03-02 nor RFC 3339", answer.Date)
}

// jsonRates are the digits of each rate as they were sent, in a JSON number or string; "" for anything else.
type jsonRates map[string]string

// UnmarshalJSON implements [json.Unmarshaler].
func (r *jsonRates) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return errors.New("rates are no object")
	}
	*r = make(jsonRates, len(raw))
	for code, value := range raw {
		var number json.Number
		if json.Unmarshal(value, &number) == nil {
			(*r)[code] = number.String()
		}
	}
	return nil
}

const (
	maxRates = 5000
	// maxRateText bounds a rate's digits, exponent included; maxExponent its power of ten either way.
	maxRateText = 60
	maxExponent = 15
)

var errNoRates = errors.New("the answer has no usable rate")

// newSet keeps the rates that are usable: of a code of 3 to 10 capitals and digits, and between 1e-15 and 1e15.
func newSet(base string, date time.Time, rates map[string]string) (money.Set, error) {
	if !isCode(base) {
		return money.Set{}, fmt.Errorf("base %.40q is no currency code", base)
	}
	if len(rates) > maxRates {
		return money.Set{}, fmt.Errorf("the answer has more than %d rates", maxRates)
	}
	set := money.Set{Base: base, Date: date, Rates: make(map[string]decimal.Decimal, len(rates))}
	for code, text := range rates {
		if rate, ok := parseRate(text); ok && isCode(code) && code != base {
			set.Rates[code] = rate
		}
	}
	if len(set.Rates) == 0 {
		return money.Set{}, errNoRates
	}
	return set, nil
}

func isCode(s string) bool {
	return len(s) >= 3 && len(s) <= 10 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func parseRate(text string) (decimal.Decimal, bool) {
	if len(text) > maxRateText {
		return decimal.Decimal{}, false
	}
	d, err := decimal.NewFromString(text)
	if err != nil || !d.IsPositive() {
		return decimal.Decimal{}, false
	}
	leading := d.NumDigits() + int(d.Exponent())
	return d, leading > -maxExponent && leading <= maxExponent
}

func unixDay(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return day(time.Unix(seconds, 0))
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
