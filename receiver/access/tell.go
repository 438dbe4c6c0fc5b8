package access

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

// What is here runs only where somebody asks for the steps of an attempt. No step has a signature or a secret.

func (a *Attempt) tellKey() {
	kind := "key"
	if a.ClientKey {
		kind = "client key"
	}
	a.Trace.Add(trace.Step{Name: trace.Key, Value: a.KeyID, Result: kind})
}

// tell adds the step of a check that looked at the value, which is empty if it did not apply.
func (a *Attempt) tell(check, value string, reason conversion.Reason) {
	step := trace.Step{Name: trace.Access, About: check, Value: value, Reason: string(reason)}
	switch {
	case reason != "":
	case value == "":
		step.Result = "does not apply"
	default:
		step.Result = "passes"
	}
	a.Trace.Add(step)
}

func (a *Attempt) seesRate() string {
	if !a.ClientKey {
		return ""
	}
	return fmt.Sprintf("%d a minute", a.Endpoint.Browser.RatePerMinute)
}

func (a *Attempt) seesOrigin() string {
	switch {
	case !a.ClientKey:
		return ""
	case a.Request.Origin == "":
		return "none"
	}
	return a.Request.Origin
}

func (a *Attempt) seesAddress() string {
	if a.ClientKey || len(a.Endpoint.AllowedCIDRs) == 0 {
		return ""
	}
	return a.Request.Source.String()
}

func (a *Attempt) seesMethod() string { return a.Request.Method }

func (a *Attempt) seesLength() string { return strconv.Itoa(a.Request.URLBytes) + " bytes" }

func (a *Attempt) seesMAC() string {
	if !a.signed() || a.Endpoint.SignatureText != nil {
		return ""
	}
	if a.Endpoint.SignsEndpoint {
		return a.Endpoint.Name + ", query and body"
	}
	return "query and body"
}

func (a *Attempt) seesAge() string {
	if !a.signed() || a.Endpoint.SignatureMaxAge == 0 {
		return ""
	}
	_, sent := cutParameter(a.Request.RawQuery, a.Endpoint.SignatureTime)
	return fmt.Sprintf("%s=%s, at most %s", a.Endpoint.SignatureTime, sent, a.Endpoint.SignatureMaxAge)
}

func (a *Attempt) seesBody() string {
	if len(a.Request.Body) == 0 {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%d bytes %s", len(a.Request.Body), a.Request.ContentType))
}

func (a *Attempt) seesDigest() string {
	if !a.signed() || a.Endpoint.SignatureText == nil {
		return ""
	}
	return string(a.Endpoint.SignatureAlgorithm)
}
