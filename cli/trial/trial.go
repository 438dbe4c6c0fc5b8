// Package trial has the command `test`: it does by hand what a network does, a click and a postback, and follows both
// through the log to the S2S postbacks.
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

	"github.com/spf13/cobra"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/offline"
	"github.com/postback-dev/postback-operator/cli/output"
	"github.com/postback-dev/postback-operator/cli/reach"
)

// Bounds of a trial.
const (
	maxReply  = 64 << 10
	lookEvery = 200 * time.Millisecond
)

// trial is one run.
type trial struct {
	reach      *reach.Flags
	clock      func() time.Time
	files      reach.Files
	subid      string
	query      string
	expected   string
	wait       time.Duration
	throughPod bool

	cmd         *cobra.Command
	style       output.Style
	receiver    *reach.Receiver
	credentials reach.Credentials
	public      http.RoundTripper
	endpoint    string
}

// New returns the command.
func New(flags *reach.Flags, clock func() time.Time) *cobra.Command {
	t := &trial{reach: flags, clock: clock}
	cmd := &cobra.Command{
		Use:   "test ENDPOINT",
		Short: "Send a click and a postback, and follow them through the log to the S2S postbacks",
		Long: "Send a click and a postback, and follow them through the log to the S2S postbacks, with the time of " +
			"each hop.\n" +
			"The postback says test=1: its conversion is in no report, but the click counts as one, and S2S postbacks are\n" +
			"sent. With --expect, exit code 3 means that something else came of it.",
		Example: "  kubectl postback test shop\n" +
			"  kubectl postback test shop --query 'status=approved&payout=12,5&currency=eur' --expect recorded,sale,13.75",
		Args:              exit.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: flags.Complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			t.cmd, t.style = cmd, output.StyleOf(cmd, clock())
			return reach.Explain(t.run(cmd.Context(), args[0]))
		},
	}
	t.files.Add(cmd.Flags())
	set := cmd.Flags()
	set.StringVar(&t.query, "query", "status=sale&payout=1", "what the postback says besides subid and test")
	set.StringVar(&t.subid, "subid", "", "a click that is there already, in place of a new one")
	set.StringVar(&t.expected, "expect", "", "what has to come of it: outcome,type,payout or outcome,reason")
	set.DurationVar(&t.wait, "wait", 10*time.Second, "how long the log and S2S postbacks are waited for")
	set.BoolVar(&t.throughPod, "through-pod", false,
		"send to a pod by a port-forward, and not to the public URL; so it is done where only the cluster reaches that")
	return cmd
}

func (t *trial) run(ctx context.Context, argument string) error {
	var expected *offline.Expectation
	if t.expected != "" {
		e, err := offline.ParseExpectation(t.expected)
		if err != nil {
			return exit.WithUsage(fmt.Errorf("--expect: %w", err))
		}
		expected = &e
	}
	if err := t.reach.Check(); err != nil {
		return err
	}
	var err error
	if t.endpoint, err = t.reach.Name(argument); err != nil {
		return err
	}
	if t.credentials, err = t.reach.Credentials(ctx, t.endpoint, &t.files); err != nil {
		return err
	}
	if t.receiver, err = t.reach.Receiver(ctx, t.endpoint); err != nil {
		return err
	}
	defer t.receiver.Close()
	t.public = http.DefaultTransport
	if t.throughPod || t.credentials.InCluster {
		if t.public = t.receiver.Public; t.public == nil {
			return exit.WithUsage(errors.New("--through-pod needs a cluster: leave out --server"))
		}
	}
	if err := t.click(ctx); err != nil {
		return err
	}
	reply, err := t.postback(ctx)
	if err != nil {
		return err
	}
	row, err := t.logged(ctx, reply)
	if err != nil {
		return err
	}
	return t.judge(ctx, row, expected)
}

// say prints a hop and how long it took.
func (t *trial) say(mark output.Mark, hop string, took time.Duration, format string, args ...any) {
	line := fmt.Sprintf("%-10s ", hop)
	if took >= 0 {
		line += fmt.Sprintf("%7s  ", fmt.Sprintf("%d ms", took.Milliseconds()))
	} else {
		line += strings.Repeat(" ", 9)
	}
	line = output.Printable(line + fmt.Sprintf(format, args...))
	_ = output.Write(t.cmd, t.style.Mark(mark)+" "+strings.TrimRight(line, " ")+"\n") // the next hop finds out
}

// noTime is in place of a time where nothing was waited for.
const noTime = time.Duration(-1)

// click records a click, as a page or a campaign link does.
func (t *trial) click(ctx context.Context) error {
	if t.subid != "" {
		if _, err := t.receiver.Click(ctx, t.endpoint, t.subid); err != nil {
			return err
		}
		t.say(output.Good, "click", noTime, "%s is there", t.subid)
		return nil
	}
	if t.credentials.ClickToken == "" {
		return fmt.Errorf("%s takes no clicks by its API, or you may not read the Secret with its clickToken: name a click "+
			"by --subid", t.endpoint)
	}
	t.subid = "test-" + strings.ToLower(rand.Text()[:12])
	body, err := json.Marshal(map[string]string{"subid": t.subid, "source": "kubectl-postback"})
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
	t.say(output.Good, "click", took, "%s is recorded", t.subid)
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
	query := "subid=" + url.QueryEscape(t.subid) + "&" + strings.TrimLeft(t.query, "?&") + "&test=1"
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

// poll looks until found reports true, and reports whether it did before the wait ended.
func (t *trial) poll(ctx context.Context, look func(context.Context) (found bool, err error)) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, t.wait)
	defer cancel()
	for {
		found, err := look(ctx)
		if found || err != nil && ctx.Err() == nil {
			return found, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(lookEvery):
		}
	}
}

// logged finds the postback in the log by its id.
func (t *trial) logged(ctx context.Context, answer reply) (read.Postback, error) {
	var row read.Postback
	parameters := url.Values{"endpoint": {t.endpoint}, "filter": {"id eq " + answer.id}, "limit": {"1"},
		"from": {answer.sent.Add(-time.Hour).UTC().Format(time.RFC3339)}}
	found, err := t.poll(ctx, func(ctx context.Context) (bool, error) {
		page, err := t.receiver.Postbacks(ctx, parameters)
		if err != nil || len(page.Items) == 0 {
			return false, err
		}
		row = page.Items[0]
		return true, nil
	})
	if err != nil {
		return row, err
	}
	if !found {
		return row, fmt.Errorf("the postback %s is not in the log after %s: does the URL lead to another fleet?", answer.id,
			t.wait)
	}
	t.say(output.Good, "log", time.Since(answer.sent), "%s %s", row.Outcome, output.Or(row.Reason))
	return row, nil
}

// judge says what came of the postback, its checklist and its S2S postbacks, and whether that is what was expected.
func (t *trial) judge(ctx context.Context, row read.Postback, expected *offline.Expectation) error {
	detail, payout := "", ""
	if row.Reason != nil {
		detail = *row.Reason
	}
	if row.ConversionID != nil && (row.Outcome == "recorded" || row.Outcome == "duplicate") {
		versions, err := t.receiver.History(ctx, *row.ConversionID)
		if err != nil {
			return err
		}
		if last := len(versions.Items) - 1; last >= 0 {
			c := versions.Items[last]
			detail = c.Type
			if c.Payout != nil {
				payout = *c.Payout
			}
			t.say(output.Good, "conversion", noTime, "%s %s %s, sent as %s %s", c.Type, cmp.Or(payout, "waiting for a rate"),
				c.Currency, c.OriginalPayout, c.OriginalCurrency)
		}
		if err := t.forwards(ctx); err != nil {
			return err
		}
	}
	t.checklist(row, payout)
	if expected != nil && !expected.Met(row.Outcome, detail, payout) {
		return exit.WithNotAsExpected(fmt.Errorf("%s came of it, and not %s",
			offline.Expectation{Outcome: row.Outcome, Detail: detail, Payout: payout}, expected))
	}
	if expected == nil && row.Outcome != "recorded" && row.Outcome != "duplicate" {
		return fmt.Errorf("%s: %s; `kubectl postback explain %s 'subid=%s&%s'` says why", row.Outcome, detail, t.endpoint,
			t.subid, t.query)
	}
	return nil
}

// forwards waits until every S2S postback of the click has been tried.
func (t *trial) forwards(ctx context.Context) error {
	began := time.Now()
	var sent []read.Forward
	parameters := url.Values{"endpoint": {t.endpoint}, "subid": {t.subid}}
	_, err := t.poll(ctx, func(ctx context.Context) (bool, error) {
		page, err := t.receiver.Forwards(ctx, parameters)
		if err != nil {
			return false, err
		}
		sent = page.Items
		for _, f := range sent {
			if f.State == "waiting" && f.Tries == 0 {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	if len(sent) == 0 {
		t.say(output.Note, "S2S", noTime, "no rule sends anything for it")
	}
	for _, f := range sent {
		mark := map[string]output.Mark{"delivered": output.Good, "failed": output.Bad, "waiting": output.Warning}[f.State]
		answer := ""
		if last := len(f.Attempts) - 1; last >= 0 {
			if status := f.Attempts[last].Status; status != nil {
				answer = fmt.Sprintf(", answered %d", *status)
			} else {
				answer = ", " + output.Or(f.Attempts[last].Error)
			}
		}
		t.say(mark, "S2S", time.Since(began), "%s to %s: %s%s", f.Rule, f.Host, f.State, answer)
	}
	return nil
}

// checklist is what trackers' documentation asks to look at after a test by hand.
func (t *trial) checklist(row read.Postback, payout string) {
	check := func(ok bool, question, hint string) {
		if ok {
			t.say(output.Good, "check", noTime, "%s", question)
			return
		}
		t.say(output.Bad, "check", noTime, "%s: %s", question, hint)
	}
	check(row.SubID != nil && *row.SubID == t.subid, "the click id arrived as it was sent",
		"the log has "+output.Or(row.SubID))
	unreadable := false
	for _, warning := range row.Warnings {
		unreadable = unreadable || warning == "payout_unreadable"
	}
	check(!unreadable && !strings.ContainsAny(payout, "{}[]"), "the payout is a number", "look at --query")
	check(row.Reason == nil, "the status word is known, and the click is found", output.Or(row.Reason))
}
