package ops

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func TestAReceiverWithASpoolIsReadyWhileEitherTakesPostbacks(t *testing.T) {
	store, now, spool := &fakeStore{}, start, ledger.SpoolStatus{}
	o := options(store)
	o.Clock = func() time.Time { return now }
	o.Spool = func() ledger.SpoolStatus { return spool }
	h := New(o)
	for _, step := range []struct {
		name    string
		advance time.Duration
		ping    error
		spool   ledger.SpoolStatus
		want    string
	}{
		{"both work", 0, nil, ledger.SpoolStatus{}, "ready\n"},
		{"the store is away and the spool works", time.Hour, errors.New("away"), ledger.SpoolStatus{Postbacks: 7},
			"ready\nspooling: 7 postbacks wait for the store\n"},
		{"the spool fails, too", time.Hour, errors.New("away"), ledger.SpoolStatus{FailingSince: start.Add(2 * time.Hour)},
			"ready\n"},
		{"both fail for as long as is bearable", 30 * time.Second, errors.New("away"),
			ledger.SpoolStatus{FailingSince: start.Add(2 * time.Hour)}, "store and spool: neither writable for 30s\n"},
		{"the spool works again", time.Second, errors.New("away"), ledger.SpoolStatus{}, "ready\n"},
		{
			"the spool has lost some", time.Second, nil, ledger.SpoolStatus{Missing: 3},
			"ready\nspool: 3 acknowledged postbacks are missing: its disk has lost them\n",
		},
		{"the spool fails while the store works", time.Second, nil, ledger.SpoolStatus{FailingSince: start}, "ready\n"},
	} {
		now, store.pingErr, spool = now.Add(step.advance), step.ping, step.spool
		if got := get(h, "/readyz").Body.String(); got != step.want {
			t.Errorf("%s: %q, want %q", step.name, got, step.want)
		}
	}
}

func TestRequiredSynchronyDecidesAboutReadiness(t *testing.T) {
	for level, ready := range map[string]bool{"": false, "none": false, "local": false, "sync": true} {
		o := options(&fakeStore{})
		o.RequireSynchronous, o.Durability = true, func() string { return level }
		if w := get(New(o), "/readyz"); (w.Code == http.StatusOK) != ready {
			t.Errorf("level %q: status %d, %s", level, w.Code, w.Body)
		}
	}
}

func TestSpoolAndDurabilityAreMeasured(t *testing.T) {
	o := options(&fakeStore{})
	o.Clock = func() time.Time { return start.Add(time.Minute) }
	o.Durability = func() string { return "local" }
	o.Spool = func() ledger.SpoolStatus {
		return ledger.SpoolStatus{Postbacks: 3, Bytes: 4000, Limit: 5000, Oldest: start, Dead: 2, FailingSince: start}
	}
	got := get(New(o), "/metrics").Body.String()
	for _, line := range []string{
		`postback_store_durability{level="local"} 1`, `postback_store_durability{level="sync"} 0`,
		`postback_store_durability{level="none"} 0`,
		"postback_spool_postbacks 3", "postback_spool_bytes 4000", "postback_spool_limit_bytes 5000",
		"postback_spool_oldest_age_seconds 60", "postback_spool_dead 2", "postback_spool_failing 1",
	} {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	o = options(&fakeStore{})
	if got := get(New(o), "/metrics").Body.String(); strings.Contains(got, "postback_spool") ||
		strings.Contains(got, "postback_store_durability") {
		t.Error("a receiver without a spool and whose store says nothing has metrics of them")
	}
}
