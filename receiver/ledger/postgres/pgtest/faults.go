package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Kill ends all processes of the server with SIGKILL, as a crash would. [Server.Start] recovers.
func (s *Server) Kill() error {
	pid := s.postmaster()
	if pid == 0 {
		return errors.New("killing PostgreSQL: it does not run")
	}
	backends, err := freeze(pid)
	if err != nil {
		return err
	}
	if err := signal(append(backends, pid), syscall.SIGKILL); err != nil {
		return err
	}
	return waitGone(append(backends, pid))
}

// Restart stops the server in an orderly way, ending all sessions, and starts it again.
func (s *Server) Restart(ctx context.Context) error {
	pid := s.postmaster()
	if pid == 0 {
		return errors.New("restarting PostgreSQL: it does not run")
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
		return err
	}
	if err := waitGone([]int{pid}); err != nil {
		return err
	}
	return s.Start(ctx)
}

// Pause stops all processes of the server with SIGSTOP: connections stay open and nothing answers.
func (s *Server) Pause() error {
	pid := s.postmaster()
	if pid == 0 {
		return nil
	}
	backends, err := freeze(pid)
	if err != nil {
		return err
	}
	return signal(backends, syscall.SIGSTOP)
}

// Continue ends a pause. It does nothing to a server that runs or is gone.
func (s *Server) Continue() error {
	pid := s.postmaster()
	if pid == 0 {
		return nil
	}
	backends, err := children(pid)
	if err != nil {
		return err
	}
	return signal(append(backends, pid), syscall.SIGCONT)
}

// Paused reports whether all processes of the server are stopped, as they are a moment after [Server.Pause] and until
// somebody continues them.
func (s *Server) Paused() (bool, error) {
	pid := s.postmaster()
	if pid == 0 {
		return false, errors.New("looking at a paused PostgreSQL: it does not run")
	}
	backends, err := children(pid)
	if err != nil {
		return false, err
	}
	for _, process := range append(backends, pid) {
		if state := stateOf(process); state != "T" && state != zombie {
			return false, nil
		}
	}
	return true, nil
}

// freeze stops the postmaster and returns its backends. It lists them once the postmaster has stopped: until the signal
// arrives, it may still start another one.
func freeze(postmaster int) ([]int, error) {
	if err := syscall.Kill(postmaster, syscall.SIGSTOP); err != nil {
		return nil, err
	}
	if err := awaitState(postmaster, "T"); err != nil {
		return nil, err
	}
	return children(postmaster)
}

// signal sends a signal to processes, some of which may have ended.
func signal(pids []int, signal syscall.Signal) error {
	for _, pid := range pids {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

// CPU returns the processor time of the server so far, its ended sessions included.
func (s *Server) CPU() (time.Duration, error) {
	pid := s.postmaster()
	if pid == 0 {
		return 0, errors.New("measuring PostgreSQL: it does not run")
	}
	backends, err := children(pid)
	if err != nil {
		return 0, err
	}
	var ticks int64
	for i, process := range append([]int{pid}, backends...) {
		fields, err := stat(process)
		if err != nil {
			continue // it ended meanwhile
		}
		used := fields[11:13] // utime, stime
		if i == 0 {
			used = fields[11:15] // and those of the children it has waited for
		}
		for _, field := range used {
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, err
			}
			ticks += n
		}
	}
	const perSecond = 100 // USER_HZ, the same on every architecture of Linux that Go knows
	return time.Duration(ticks) * time.Second / perSecond, nil
}

// children returns the processes whose parent is pid.
func children(pid int) ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, path := range paths {
		child, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if fields, err := stat(child); err == nil && fields[1] == strconv.Itoa(pid) {
			found = append(found, child)
		}
	}
	return found, nil
}

// stat returns the fields of /proc/PID/stat after the name: the state, the parent, …
func stat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	_, rest, ok := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 15 {
		return nil, fmt.Errorf("/proc/%d/stat has an unknown form", pid)
	}
	return fields, nil
}

const zombie = "Z" // the state of a process that has ended and was not yet waited for

// stateOf returns the state of a process, a letter of /proc/PID/stat. One that does not exist is a zombie too.
func stateOf(pid int) string {
	fields, err := stat(pid)
	if err != nil {
		return zombie
	}
	return fields[0]
}

// waitGone waits until the processes have ended. A zombie has.
func waitGone(pids []int) error {
	for _, pid := range pids {
		if err := awaitState(pid, zombie); err != nil {
			return err
		}
	}
	return nil
}

// awaitState waits up to a minute until the process is in the state, a letter of /proc/PID/stat, or has ended.
func awaitState(pid int, state string) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		now := stateOf(pid)
		if now == state || now == zombie {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("process %d is in state %s after a minute, not in %s", pid, now, state)
		}
	}
}
