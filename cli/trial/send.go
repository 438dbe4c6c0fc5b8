package trial

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postback-dev/postback-operator/api/read/client"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/output"
)

// maxReply bounds what is read of an answer, in bytes.
const maxReply = 64 << 10

// click finds the test click, or makes one.
func (t *trial) click(ctx context.Context) error {
	if t.subid != "" {
		found, err := t.receiver.Click(ctx, t.endpoint, t.subid)
		var failed *client.Failure
		switch {
		case err == nil && !found.Test:
			return fmt.Errorf("%s is no test click, and its conversion would count: leave out --subid", t.subid)
		case err == nil:
			t.say(output.Good, "click", noTime, "%s is there", t.subid)
			return nil
		case !errors.As(err, &failed) || failed.Status != http.StatusNotFound:
			return err
		}
	} else {
		t.subid = "test-" + strings.ToLower(rand.Text()[:12])
	}
	return t.newClick(ctx)
}

// newClick records a test click, as a tracker records clicks.
func (t *trial) newClick(ctx context.Context) error {
	if t.credentials.ClickToken == "" {
		return fmt.Errorf("%s takes no clicks by its API, or you may not read the Secret with its clickToken: make a "+
			"test click by a campaign's link with _test=TOKEN, and name it by --subid", t.endpoint)
	}
	body, err := json.Marshal(map[string]any{"subid": t.subid, "source": "kubectl-postback", "test": true})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.credentials.Base()+"/clicks",
		strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+t.credentials.ClickToken)
	began := time.Now()
	reply, err := t.send(request)
	if err != nil {
		return err
	}
	took := time.Since(began)
	var answer struct{ Accepted int }
	if reply.status != http.StatusOK || json.Unmarshal([]byte(reply.body), &answer) != nil || answer.Accepted != 1 {
		return fmt.Errorf("the click is answered %d %s", reply.status, reply.body)
	}
	t.say(output.Good, "click", took, "%s is recorded as a test", t.subid)
	return nil
}

// reply is what the port for postbacks answers.
type reply struct {
	status            int
	body, id, outcome string
	sent              time.Time
}

func (t *trial) send(request *http.Request) (reply, error) {
	sent := time.Now()
	response, err := t.public.RoundTrip(request)
	if err != nil {
		// The error of a transport has the URL in it, and that the key.
		return reply{}, fmt.Errorf("%s does not answer, does this machine reach it? Otherwise use --through-pod",
			request.URL.Host)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	return reply{
		status:  response.StatusCode,
		body:    strings.TrimSpace(string(body)),
		id:      response.Header.Get("X-Request-Id"),
		outcome: response.Header.Get("X-Postback-Outcome"),
		sent:    sent,
	}, err
}

// postback sends the postback, as a network does.
func (t *trial) postback(ctx context.Context) (reply, error) {
	query := "subid=" + url.QueryEscape(t.subid) + "&" + strings.TrimLeft(t.query, "?&")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.credentials.URL+"?"+query, http.NoBody)
	if err != nil {
		return reply{}, exit.WithUsage(errors.New("--query: cannot be part of a URL"))
	}
	answer, err := t.send(request)
	if err != nil {
		return reply{}, err
	}
	took := time.Since(answer.sent)
	switch {
	case answer.status == http.StatusNotFound && answer.outcome == "":
		return reply{}, fmt.Errorf("%s does not know the key: is the endpoint ready, and does the host lead to its fleet? "+
			"`kubectl postback status %s`", request.URL.Host, t.endpoint)
	case answer.id == "" || answer.outcome == "":
		return reply{}, fmt.Errorf("%s is no receiver of postbacks: it answers %d", request.URL.Host, answer.status)
	}
	t.say(output.Good, "postback", took, "answered %d %s", answer.status, cmp.Or(answer.body, answer.outcome))
	return answer, nil
}
