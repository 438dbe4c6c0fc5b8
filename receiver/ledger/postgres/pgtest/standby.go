package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// StartStandby starts a standby of the server for one test. The server is stopped for a moment to copy its cluster.
// Its synchronous_standby_names are then all there are: a commit waits for this standby.
func (s *Server) StartStandby(tb testing.TB) *Server {
	tb.Helper()
	standby, err := s.newStandby(tb.Context())
	if err != nil {
		tb.Fatalf("starting a standby: %v", err)
	}
	tb.Cleanup(func() {
		if err := standby.Stop(); err != nil {
			tb.Errorf("stopping the standby: %v", err)
		}
	})
	return standby
}

func (s *Server) newStandby(ctx context.Context) (*Server, error) {
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, err
	}
	standby := &Server{Bin: s.Bin, Dir: dir, Password: s.Password, settings: maps.Clone(s.settings), account: s.account}
	if standby.settings == nil {
		standby.settings = map[string]string{}
	}
	standby.settings["primary_conninfo"] = fmt.Sprintf("host=127.0.0.1 port=%d user=postgres password=%s", s.Port,
		s.Password)
	if err := s.copyTo(ctx, standby); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := standby.keep(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := errors.Join(s.Start(ctx), standby.Start(ctx)); err != nil {
		return nil, errors.Join(err, standby.Stop())
	}
	if err := s.synchronize(ctx); err != nil {
		return nil, errors.Join(err, standby.Stop())
	}
	return standby, nil
}

// copyTo stops the server and copies its cluster.
func (s *Server) copyTo(ctx context.Context, standby *Server) error {
	if s.account != nil {
		if err := os.Chown(standby.Dir, int(s.account.Uid), int(s.account.Gid)); err != nil {
			return err
		}
	}
	pid := s.postmaster()
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
		return err
	}
	if err := waitGone([]int{pid}); err != nil {
		return err
	}
	const script = `cp -a "$1" "$2" && touch "$2/standby.signal"`
	if output, err := standby.command(ctx, "sh", "-c", script, "copy", s.data(),
		standby.data()).CombinedOutput(); err != nil {
		return fmt.Errorf("copying the cluster: %w: %s", err, output)
	}
	return nil
}

// synchronize makes commits wait for the standby and returns once they do.
func (s *Server) synchronize(ctx context.Context) error {
	for _, sql := range []string{"alter system set synchronous_standby_names = '*'", "select pg_reload_conf()"} {
		if err := s.Exec(ctx, "postgres", sql); err != nil {
			return err
		}
	}
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var synchronous bool
		const query = "select exists (select from pg_stat_replication where sync_state = 'sync')"
		if err := conn.QueryRow(ctx, query).Scan(&synchronous); err != nil || synchronous {
			return err
		}
	}
	return errors.New("the standby does not become synchronous: see its log " + filepath.Base(s.LogFile()))
}

// Promote makes a standby a server that can be written, and returns once it is.
func (s *Server) Promote(ctx context.Context) error {
	return s.Exec(ctx, "postgres", "select pg_promote(true, 60)")
}
