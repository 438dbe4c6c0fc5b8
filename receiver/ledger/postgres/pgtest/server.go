// Package pgtest starts private PostgreSQL servers for tests and measurements: a cluster of its own in a temporary
// directory, on a free port of the loopback address, with fsync on. It finds the server's programs or installs them.
// It is for Linux; it imports nothing of the product.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout bounds a start, which includes the recovery after a crash.
const startTimeout = 2 * time.Minute

// Server is a private cluster.
type Server struct {
	// Bin is the directory of the server's programs, Dir the data directory.
	Bin, Dir string
	// Port on 127.0.0.1.
	Port int
	// Password of the superuser "postgres".
	Password string

	settings map[string]string
	account  *syscall.Credential
	// leash keeps the cluster alive: when it closes, also because this process died, the keeper stops the server and
	// removes the cluster.
	leash  io.Closer
	keeper *exec.Cmd
}

// keeper runs as the server's user until its standard input ends.
const keeper = `cat >/dev/null; pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then kill -CONT "$pid"; kill -QUIT "$pid"; fi
rm -rf "$1"`

// New creates a cluster and starts it. settings go into postgresql.conf over the ones that make a small server.
// The cluster is gone when Stop returns, or soon after this process dies.
func New(ctx context.Context, settings map[string]string) (*Server, error) {
	bin, err := Binaries(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, err
	}
	s := &Server{Bin: bin, Dir: dir, Password: rand.Text(), settings: settings}
	if err := s.create(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// create makes the cluster and its keeper.
func (s *Server) create(ctx context.Context) (err error) {
	if s.account, err = account(); err != nil {
		return err
	}
	password := filepath.Join(s.Dir, "password")
	if err := os.WriteFile(password, []byte(s.Password), 0o600); err != nil {
		return err
	}
	if s.account != nil {
		for _, path := range []string{s.Dir, password} {
			if err := os.Chown(path, int(s.account.Uid), int(s.account.Gid)); err != nil {
				return err
			}
		}
	}
	initdb := s.command(ctx, filepath.Join(s.Bin, "initdb"), "-D", s.data(), "-U", "postgres", "--pwfile", password,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, output)
	}
	return s.keep(ctx)
}

func (s *Server) data() string { return filepath.Join(s.Dir, "data") }

// keep starts the keeper.
func (s *Server) keep(ctx context.Context) (err error) {
	s.keeper = s.command(context.WithoutCancel(ctx), "sh", "-c", keeper, "keeper", s.data())
	if s.leash, err = s.keeper.StdinPipe(); err != nil {
		return err
	}
	return s.keeper.Start()
}

// account is the user to run the server as: PostgreSQL refuses to run as root. It is nil for this process's own.
func account() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup("postgres")
	if err != nil {
		if found, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("looking for a user other than root to run PostgreSQL: %w", err)
		}
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

// command is a program that runs as the server's user in a process group of its own, so that a terminal's Ctrl-C
// reaches this process alone.
func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = s.Dir
	command.Env = append(os.Environ(), "LC_ALL=C")
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.account, Setpgid: true}
	return command
}

// Start starts a server that does not run, and waits until it accepts connections. The port stays the same.
func (s *Server) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	const attempts = 5 // another process may take the free port
	var err error
	for range attempts {
		if err = s.start(ctx, s.Port); err == nil || s.Port != 0 {
			return err
		}
	}
	return err
}

func (s *Server) start(ctx context.Context, port int) error {
	if port == 0 {
		free, err := freePort(ctx)
		if err != nil {
			return err
		}
		port = free
	}
	log, err := os.OpenFile(s.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	server := s.command(context.WithoutCancel(ctx), filepath.Join(s.Bin, "postgres"), s.arguments(port)...)
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	for {
		if err := s.ping(ctx, port); err == nil {
			s.Port = port
			return nil
		}
		select {
		case err := <-ended:
			text, _ := os.ReadFile(s.LogFile()) // the first error says more than the second
			return fmt.Errorf("starting PostgreSQL: %w: %s", err, text)
		case <-ctx.Done():
			return fmt.Errorf("starting PostgreSQL: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// LogFile is the server's log.
func (s *Server) LogFile() string { return filepath.Join(s.Dir, "log") }

func (s *Server) arguments(port int) []string {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": s.Dir,
		"max_connections":         "100",
		"shared_buffers":          "128MB",
		"max_wal_size":            "4GB",
		"fsync":                   "on",
		"synchronous_commit":      "on",
	}
	for name, value := range s.settings {
		settings[name] = value
	}
	arguments := []string{"-D", filepath.Join(s.Dir, "data")}
	for name, value := range settings {
		arguments = append(arguments, "-c", name+"="+value)
	}
	return arguments
}

func (s *Server) ping(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.dsn(port, "postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// DSN of a database, as the superuser.
func (s *Server) DSN(database string) string { return s.dsn(s.Port, database) }

func (s *Server) dsn(port int, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", s.Password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Exec runs SQL without parameters in a database, as the superuser.
func (s *Server) Exec(ctx context.Context, database, sql string) error {
	conn, err := pgx.Connect(ctx, s.DSN(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return errors.Join(err, conn.Close(ctx))
}

// Stop stops the server, whatever its state, and removes the cluster.
func (s *Server) Stop() error {
	if s.leash == nil {
		return os.RemoveAll(s.Dir)
	}
	err := errors.Join(s.Continue(), s.leash.Close(), s.keeper.Wait())
	s.leash = nil
	return errors.Join(err, os.RemoveAll(s.Dir))
}

// postmaster returns the process id of the running server; 0 if none runs.
func (s *Server) postmaster() int {
	text, err := os.ReadFile(filepath.Join(s.Dir, "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(first)
	if syscall.Kill(pid, 0) != nil {
		return 0
	}
	return pid
}
