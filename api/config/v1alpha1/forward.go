package v1alpha1

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The methods of S2S postbacks.
const (
	MethodGet  = "GET"
	MethodPost = "POST"
)

// Header is one header of an S2S postback: a text, or a secret.
type Header struct {
	Name string `json:"name"`
	// Value is what the declaration says itself; empty with Secret.
	Value  string  `json:"value,omitempty"`
	Secret *Secret `json:"secret,omitempty"`
}

// Body is what an S2S postback by POST sends: one of both.
type Body struct {
	// JSON is a template, see [ParseJSONTemplate].
	JSON string `json:"json,omitempty"`
	// Form is a template like a query, see [ParseTemplate].
	Form string `json:"form,omitempty"`
}

// StatusRange is a range of HTTP statuses, both ends included.
type StatusRange struct{ From, To int }

var statusRange = regexp.MustCompile(`^[1-5][0-9]{2}(-[1-5][0-9]{2})?$`)

// ParseStatusRange reads one item of [Forward.Expect]: `409` or `200-299`.
func ParseStatusRange(text string) (r StatusRange, ok bool) {
	if !statusRange.MatchString(text) {
		return r, false
	}
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	r.From, _ = strconv.Atoi(from) // three digits
	r.To, _ = strconv.Atoi(to)
	return r, r.From <= r.To
}

// requirable are what [Forward.Require] may ask for.
var requirable = append([]string{
	ParamTid, ParamPayout, MacroCampaign, ParamKeyword, ParamExternalID, ParamCreativeID, ParamAdCampaignID, ParamSource,
}, listSubIDs()...)

// RequirableFields returns what [Forward.Require] may ask for, in a fixed order.
func RequirableFields() []string { return slices.Clone(requirable) }

var (
	headerName  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	headerValue = regexp.MustCompile(`^[!-~]([ -~]*[!-~])?$`)
)

// reservedHeaders are those that the connection itself needs, in lower case.
var reservedHeaders = [...]string{
	"accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate",
	"proxy-authorization",
	"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}

// ReservedHeaders returns the names, in lower case and sorted, that no header of an S2S postback may have in any letter
// case.
func ReservedHeaders() []string { return slices.Clone(reservedHeaders[:]) }

// IsHeaderValue reports whether a text can be the value of a header: printing ASCII characters, and spaces between
// them.
func IsHeaderValue(value string) bool { return headerValue.MatchString(value) }

func (e *Endpoint) validateForwards(p problems) {
	p.length(len(e.Forwards), MaxForwards+MaxCampaigns*MaxCampaignForwards)
	unique(p, e.Forwards, func(f Forward) string { return f.Name })
	for i := range e.Forwards {
		e.validateForward(p.at("[%d]", i), &e.Forwards[i])
	}
}

func (e *Endpoint) validateForward(at problems, f *Forward) {
	at.at(".name").form(f.Name, forwardName, "must be a DNS label, or two with a dot between them")
	at.at(".url").url(f.URL)
	if _, err := ParseTemplate(f.URL); err != nil {
		at.at(".url").addf("%v", err)
	}
	oneOf(at.at(".method"), f.Method, MethodGet, MethodPost)
	f.validateHeaders(at.at(".headers"))
	f.validateBody(at.at(".body"))
	oneOf(at.at(".resend"), f.Resend, ResendOnAnyChange, ResendOnStatusChange)
	at.at(".types").length(len(f.Types), MaxTrainingRules)
	for j, t := range f.Types {
		if !e.knowsType(t) {
			at.at(".types[%d]", j).addf("must be a built-in type or one of conversionTypes")
		}
	}
	for _, match := range []struct {
		field  string
		values []string
	}{{"sources", f.Sources}, {"campaigns", f.Campaigns}} {
		at := at.at(".%s", match.field)
		at.length(len(match.values), MaxForwardMatches)
		for j, value := range match.values {
			at.at("[%d]", j).text(value, MaxMatchLength)
		}
	}
	at.at(".require").length(len(f.Require), len(requirable))
	for j, field := range f.Require {
		if !slices.Contains(requirable, field) {
			at.at(".require[%d]", j).addf("%.64q can't be required%s", field, didYouMean(field, requirable))
		}
	}
	at.at(".expect").length(len(f.Expect), MaxExpected)
	for j, text := range f.Expect {
		if _, ok := ParseStatusRange(text); !ok {
			at.at(".expect[%d]", j).addf("must be a status or a range of statuses, like 200-299")
		}
	}
}

func (f *Forward) validateHeaders(p problems) {
	p.length(len(f.Headers), MaxHeaders)
	unique(p, f.Headers, func(h Header) string { return strings.ToLower(h.Name) })
	for i := range f.Headers {
		h, at := &f.Headers[i], p.at("[%d]", i)
		if at.at(".name").form(h.Name, headerName, "must be 1 to 64 letters, digits, _ and -") &&
			slices.Contains(reservedHeaders[:], strings.ToLower(h.Name)) {
			at.at(".name").addf("%q is set by the receiver itself", h.Name)
		}
		value, limit := at.at(".value"), MaxHeaderLength
		text := h.Value
		if h.Secret != nil {
			value, limit, text = at.at(".secret.value"), MaxSecretLength, h.Secret.Value.Reveal()
			h.Secret.validate(at.at(".secret"))
			if h.Value != "" {
				at.addf("has a value and a secret: one of them is enough")
			}
		}
		if len(text) > limit || !IsHeaderValue(text) {
			value.addf("must be 1 to %d printing ASCII characters, with spaces between them only", limit)
		}
	}
}

func (f *Forward) validateBody(p problems) {
	b := f.Body
	switch {
	case b == nil:
		return
	case f.Method != MethodPost:
		p.addf("needs the method POST")
	case (b.JSON == "") == (b.Form == ""):
		p.addf("must have json or form, and not both")
	case len(b.JSON) > MaxBodyLength || len(b.Form) > MaxBodyLength:
		p.addf("must have at most %d bytes", MaxBodyLength)
	case b.JSON != "":
		if _, err := ParseJSONTemplate(b.JSON); err != nil {
			p.at(".json").addf("%v", err)
		}
	default:
		if _, err := ParseTemplate(b.Form); err != nil {
			p.at(".form").addf("%v", err)
		}
	}
}
