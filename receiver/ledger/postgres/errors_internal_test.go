package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postback-dev/postback-operator/receiver/ledger"
)

func TestFailuresAreWhatACallerCanDoAboutThem(t *testing.T) {
	code := func(code string) error {
		return fmt.Errorf("sending: %w", &pgconn.PgError{Code: code, Message: "server's message", Detail: "secret",
			Where: "secret"})
	}
	for name, test := range map[string]struct {
		err  error
		is   error
		says string
	}{
		"serialization failure":          {code("40001"), ledger.ErrConflict, "40001"},
		"deadlock":                       {code("40P01"), ledger.ErrConflict, "40P01"},
		"a row that is there already":    {code("23505"), ledger.ErrConflict, "23505"},
		"a value out of range":           {code("22003"), ledger.ErrPoisoned, "22003"},
		"a broken constraint":            {code("23502"), ledger.ErrPoisoned, "23502"},
		"a type mismatch":                {code("42804"), ledger.ErrPoisoned, "42804"},
		"a missing table":                {code("42P01"), ledger.ErrSchema, "server's message"},
		"no privilege":                   {code("42501"), ledger.ErrUnavailable, "server's message"},
		"a server that became read-only": {code("25006"), ledger.ErrUnavailable, "read-only"},
		"a lock that is not to be had":   {code("55P03"), ledger.ErrUnavailable, "55P03"},
		"statement timeout":              {code("57014"), ledger.ErrUnavailable, "57014"},
		"shutdown":                       {code("57P01"), ledger.ErrUnavailable, "57P01"},
		"a full disk":                    {code("53100"), ledger.ErrUnavailable, "53100"},
		"too many connections":           {code("53300"), ledger.ErrUnavailable, "53300"},
		"an unknown code":                {code("X"), ledger.ErrUnavailable, "server's message"},
		"a lost connection": {fmt.Errorf("secret: %w", io.ErrUnexpectedEOF), ledger.ErrUnavailable,
			"connection lost"},
		"a reset connection": {
			&net.OpError{Op: "read", Net: "tcp", Addr: &net.TCPAddr{Zone: "secret"}, Err: syscall.ECONNRESET},
			ledger.ErrUnavailable, "connection reset",
		},
		"no answer": {fmt.Errorf("secret: %w", context.DeadlineExceeded), ledger.ErrUnavailable,
			"no answer in time"},
		"a caller who left":   {fmt.Errorf("secret: %w", context.Canceled), ledger.ErrUnavailable, "canceled"},
		"anything else":       {errors.New("secret"), ledger.ErrUnavailable, "connection failed"},
		"what is known stays": {fmt.Errorf("x: %w", ledger.ErrNotFound), ledger.ErrNotFound, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			got := failure(test.err)
			if !errors.Is(got, test.is) || !strings.Contains(got.Error(), test.says) {
				t.Errorf("got %q, want %q that says %q", got, test.is, test.says)
			}
			if strings.Contains(got.Error(), "secret") {
				t.Errorf("%q shows what it must not", got)
			}
		})
	}
	if failure(nil) != nil {
		t.Error("no error became one")
	}
}

func TestDurabilityIsWhatTheSettingsPromise(t *testing.T) {
	for name, test := range map[string]struct {
		fsync, names, standbys string
		want                   ledger.Durability
	}{
		"without fsync nothing is promised":   {"off", "ANY 1 (a)", "quorum", ledger.DurabilityNone},
		"without names commits wait for none": {"on", " ", "async", ledger.DurabilityLocal},
		"with names commits wait":             {"on", "ANY 1 (a, b)", "potential quorum", ledger.DurabilitySync},
		"also while no standby is connected":  {"on", "ANY 1 (a, b)", "", ledger.DurabilitySync},
		"also where the state is hidden":      {"on", "ANY 1 (a, b)", "hidden", ledger.DurabilitySync},
	} {
		t.Run(name, func(t *testing.T) {
			if got, detail := durability(test.fsync, test.names, test.standbys); got != test.want || detail == "" {
				t.Errorf("got %q (%q), want %q", got, detail, test.want)
			}
		})
	}
}
