package explain

import (
	"github.com/postback-dev/postback-operator/receiver/endpoint"
	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/postback"
	"github.com/postback-dev/postback-operator/receiver/request"
	"github.com/postback-dev/postback-operator/receiver/trace"
)

// Word is the status of a logged postback, and what it means by the present configuration.
type Word struct {
	Text string
	// Type is what it means now, empty for nothing; By is what decides.
	Type, By string
	// Known: a training knows it, or it is the name of a type. Otherwise a policy decides.
	Known bool
}

// WordOf judges the status of a logged postback. It reports false if the postback has none that could be judged, or its
// endpoint is not served any more.
func (e *Explainer) WordOf(r *ledger.Received) (Word, bool) {
	ep := e.Endpoints().ByName(r.Endpoint)
	if ep == nil {
		return Word{}, false
	}
	said, err := postback.Read(ep, &request.Request{RawQuery: r.Query, Body: []byte(r.Body), ContentType: r.ContentType})
	if err != nil {
		return Word{}, false
	}
	steps := &trace.Trace{}
	postback.Judge(ep, said, postback.Arrival{At: r.At, IP: r.IP, Trace: steps}, e.Rates())
	for _, s := range steps.Steps {
		if s.Name == trace.Status {
			return Word{Text: s.Value, Type: s.Result, By: s.By, Known: s.By != string(endpoint.LevelPolicy)}, s.Value != ""
		}
	}
	return Word{}, false
}
