package steady_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/steady"
)

func TestAClockThatWasSetIsNotTrustedForAWhile(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var elapsed, skew time.Duration
	var log bytes.Buffer
	w := steady.New(func() time.Time { return noon.Add(elapsed + skew) }, func() time.Duration { return elapsed },
		slog.New(slog.NewTextHandler(&log, nil)))
	for _, step := range []struct {
		name        string
		after, skew time.Duration
		want        bool
		told        int
	}{
		{"at first", 0, 0, true, 0},
		{"later", 100 * time.Hour, 0, true, 0},
		{"a drift that was made up", time.Second, 30 * time.Second, true, 0},
		{"an hour ahead", time.Second, time.Hour, false, 1},
		{"still ahead", steady.Rest - time.Second, time.Hour, false, 1},
		{"ahead for long", time.Second, time.Hour, true, 1},
		{"a day back", time.Second, -23 * time.Hour, false, 2},
		{"set right, which is a jump as well", steady.Rest - time.Second, 0, false, 3},
		{"right for long", steady.Rest, 0, true, 3},
	} {
		elapsed, skew = elapsed+step.after, step.skew
		if got := w.Settled(); got != step.want {
			t.Errorf("%s: settled %v", step.name, got)
		}
		if told := strings.Count(log.String(), "The clock was set"); told != step.told {
			t.Errorf("%s: the log says so %d times, want %d", step.name, told, step.told)
		}
	}
}
