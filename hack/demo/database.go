package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/postback-dev/postback-operator/hack/testbed"
)

// The database is served by a process of its own, `demo database`, which outlives demo up. It writes the DSN for pods
// into a file once it serves, and that file goes with it.
const (
	dsnFile = "dsn"
	pidFile = "database.pid"
	logFile = "database.log"
)

// startDatabase starts it unless it runs, and returns the DSN.
func startDatabase(ctx context.Context) (string, error) {
	dir, err := state()
	if err != nil {
		return "", err
	}
	if dsn, err := os.ReadFile(filepath.Join(dir, dsnFile)); err == nil && running(dir) != 0 {
		return string(dsn), nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	log, err := os.Create(filepath.Join(dir, logFile))
	if err != nil {
		return "", err
	}
	defer func() { _ = log.Close() }()
	_ = os.Remove(filepath.Join(dir, dsnFile)) // of one that was killed
	command := exec.CommandContext(context.WithoutCancel(ctx), self, "database")
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, pidFile), []byte(strconv.Itoa(command.Process.Pid)), 0o600); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		if dsn, err := os.ReadFile(filepath.Join(dir, dsnFile)); err == nil {
			return string(dsn), nil
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(log.Name())
			return "", fmt.Errorf("starting PostgreSQL: %s", text)
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// serveDatabase runs until it receives a signal to stop.
func serveDatabase(ctx context.Context) error {
	dir, err := state()
	if err != nil {
		return err
	}
	database, err := testbed.StartDatabase(ctx)
	if err != nil {
		return err
	}
	dsn, _, err := database.Create(ctx, "demo")
	if err != nil {
		return errors.Join(err, database.Stop())
	}
	// Renamed into place, so that it is never read in part.
	file := filepath.Join(dir, dsnFile)
	if err := errors.Join(os.WriteFile(file+".new", []byte(dsn), 0o600), os.Rename(file+".new", file)); err != nil {
		return errors.Join(err, database.Stop())
	}
	<-ctx.Done()
	return errors.Join(database.Stop(), os.Remove(file))
}

// stopDatabase stops it, if it runs, and waits until it is gone.
func stopDatabase() error {
	dir, err := state()
	if err != nil {
		return err
	}
	if pid := running(dir); pid != 0 {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			return err
		}
		for running(dir) != 0 {
			time.Sleep(50 * time.Millisecond)
		}
	}
	return os.RemoveAll(dir)
}

// running returns the process of the database; 0 if there is none, or another process has its number by now.
func running(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, pidFile))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return 0
	}
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !strings.HasSuffix(string(command), "\x00database\x00") {
		return 0
	}
	return pid
}
