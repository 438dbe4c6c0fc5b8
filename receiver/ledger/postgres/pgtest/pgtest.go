package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// shared is the server that the tests of one binary share.
var shared struct {
	sync.Mutex
	server *Server
}

// databases numbers the databases of this process.
var databases atomic.Int64

// Main runs a package's tests and then stops the shared server: func TestMain(m *testing.M) { pgtest.Main(m) }.
func Main(m *testing.M) {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Shared returns the server of this test binary, which it starts for the first test that asks. Tests that disturb
// their server [Start] one of their own.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		server, err := New(context.Background(), nil)
		if err != nil {
			tb.Fatalf("starting a private PostgreSQL: %v", err)
		}
		shared.server = server
	}
	return shared.server
}

// Start starts a server for one test.
func Start(tb testing.TB, settings map[string]string) *Server {
	tb.Helper()
	server, err := New(tb.Context(), settings)
	if err != nil {
		tb.Fatalf("starting a private PostgreSQL: %v", err)
	}
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Errorf("stopping the private PostgreSQL: %v", err)
		}
	})
	return server
}

// NewDatabase creates an empty database and returns its DSN. The database lives as long as the server.
func (s *Server) NewDatabase(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := s.Exec(tb.Context(), "postgres", "create database "+name); err != nil {
		tb.Fatalf("creating a database: %v", err)
	}
	return s.DSN(name)
}
