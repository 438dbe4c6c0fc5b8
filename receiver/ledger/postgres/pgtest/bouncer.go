package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Bouncer starts a pgbouncer in transaction mode before a database of the server and returns the DSN to reach it by.
// It shares 3 server connections among all clients. As root it installs pgbouncer by apt-get where it is missing.
func (s *Server) Bouncer(tb testing.TB, database string) (dsn string) {
	tb.Helper()
	dsn, err := s.startBouncer(tb, database)
	if err != nil {
		tb.Fatalf("starting pgbouncer: %v", err)
	}
	return dsn
}

func (s *Server) startBouncer(tb testing.TB, database string) (string, error) {
	program, err := bouncerProgram(tb.Context())
	if err != nil {
		return "", err
	}
	port, err := freePort(tb.Context())
	if err != nil {
		return "", err
	}
	config := filepath.Join(s.Dir, "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n%s = host=127.0.0.1 port=%d user=postgres password=%s\n[pgbouncer]\n"+
		"listen_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\nauth_type = any\npool_mode = "+
		"transaction\ndefault_pool_size = 3\n",
		database, s.Port, s.Password, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return "", err
	}
	if s.account != nil {
		if err := os.Chown(config, int(s.account.Uid), int(s.account.Gid)); err != nil {
			return "", err
		}
	}
	bouncer := s.command(context.WithoutCancel(tb.Context()), program, "--quiet", config)
	if err := bouncer.Start(); err != nil {
		return "", err
	}
	tb.Cleanup(func() {
		_ = bouncer.Process.Signal(syscall.SIGTERM)
		_ = bouncer.Wait() // an immediate shutdown is no success to it
	})
	dsn := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", port, database)
	return dsn, untilAnswers(tb.Context(), dsn)
}

func bouncerProgram(ctx context.Context) (string, error) {
	const program = "/usr/sbin/pgbouncer" // a directory that not every user's PATH has
	if isProgram(program) {
		return program, nil
	}
	if found, err := exec.LookPath("pgbouncer"); err == nil {
		return found, nil
	}
	unlock, err := lockInstall()
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := installApt(ctx, "pgbouncer"); err != nil {
		return "", fmt.Errorf("pgbouncer is not on PATH and cannot be installed: %w", err)
	}
	return program, nil
}

// freePort is free at this moment.
func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(0)))
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

func untilAnswers(ctx context.Context, dsn string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
