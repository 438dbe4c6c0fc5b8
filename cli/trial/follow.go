package trial

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/cli/exit"
	"github.com/postback-dev/postback-operator/cli/offline"
	"github.com/postback-dev/postback-operator/cli/output"
)

// lookEvery is how often the log is looked at.
const lookEvery = 200 * time.Millisecond

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
