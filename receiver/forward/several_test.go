package forward_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/ledger"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

// TestSeveralReceiversOfOneDatabaseSendEverythingOnce has three receivers with stores of their own. Every attempt is
// counted: one that two receivers made would be there twice.
func TestSeveralReceiversOfOneDatabaseSendEverythingOnce(t *testing.T) {
	const receivers, conversions, versions = 3, 100, 4
	dsn := pgtest.Shared(t).NewDatabase(t)
	b := &bench{T: t, clock: newClock()}
	s := newSource(t, func(string, string, int) int {
		time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
		return http.StatusOK
	})
	host := b.rules.declare(t, "r", s.template())
	want := map[string][]string{}
	var rows []ledger.Forward
	for v := 1; v <= versions; v++ {
		for n := range conversions {
			subid := fmt.Sprint("c", n)
			rows = append(rows, b.row("r", host, subid, v))
			want[subid] = append(want[subid], fmt.Sprint(v))
		}
	}
	for n := range receivers {
		store, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		b.store = store
		if n == 0 {
			b.putAll(rows[:len(rows)/2]...)
		}
		b.start()
	}
	b.putAll(rows[len(rows)/2:]...)
	b.until(ledger.ForwardDelivered, conversions*versions, time.Millisecond)
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
