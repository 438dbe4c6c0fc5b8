package pgtest_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestServerKeepsWhatWasCommittedThroughAKill(t *testing.T) {
	s := pgtest.Start(t, nil)
	if err := s.Exec(t.Context(), "postgres", "create table kept (n int); insert into kept values (7)"); err != nil {
		t.Fatal(err)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Exec(t.Context(), "postgres", "select 1"); err == nil {
		t.Fatal("a killed server answers")
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, "select n from kept"); got != 7 {
		t.Errorf("after the recovery n = %d, want 7", got)
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, "select n from kept"); got != 7 {
		t.Errorf("after the restart n = %d, want 7", got)
	}
}

func TestPausedServerAnswersAfterContinue(t *testing.T) {
	s := pgtest.Start(t, nil)
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.Exec(ctx, "postgres", "select 1"); err == nil {
		t.Error("a paused server answers")
	}
	if err := s.Continue(); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, "select 1"); got != 1 {
		t.Errorf("got %d, want 1", got)
	}
	if cpu, err := s.CPU(); err != nil || cpu <= 0 {
		t.Errorf("CPU() = %v, %v; want some", cpu, err)
	}
}

func TestAServerIsPausedUntilAnybodyContinuesAnyOfIt(t *testing.T) {
	s := pgtest.Start(t, nil)
	if paused, err := s.Paused(); paused || err != nil {
		t.Errorf("before the pause: paused %v, %v", paused, err)
	}
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	becomes := func(want bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			got, err := s.Paused()
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("paused %v, %v; want %v", got, err, want)
			}
			if got == want {
				return
			}
		}
	}
	becomes(true)
	file, err := os.ReadFile(filepath.Join(s.Dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(file), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	becomes(false)
	if err := s.Continue(); err != nil {
		t.Fatal(err)
	}
}

func TestStopRemovesTheClusterOfAServerInAnyState(t *testing.T) {
	for name, disturb := range map[string]func(*pgtest.Server) error{
		"running": func(*pgtest.Server) error { return nil },
		"paused":  (*pgtest.Server).Pause,
		"killed":  (*pgtest.Server).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			s, err := pgtest.New(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := disturb(s); err != nil {
				t.Fatal(err)
			}
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
				t.Errorf("the cluster's directory is still there: %v", err)
			}
		})
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	s := pgtest.Shared(t)
	for range 2 {
		conn, err := pgx.Connect(t.Context(), s.NewDatabase(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "create table t (n int)"); err != nil {
			t.Error(err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func count(t *testing.T, s *pgtest.Server, sql string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
