// Package debian finds the programs that tests of the whole need beside the project's own, and installs those that a
// Debian machine lacks.
package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Program returns the path of a program: as it is installed, or else as root installs it from the package of that name.
func Program(ctx context.Context, name, packageName string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	if os.Geteuid() != 0 {
		return "", fmt.Errorf("no program %s: install the Debian package %s, or run the test as root", name, packageName)
	}
	unlock, err := lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if path, err := exec.LookPath(name); err == nil { // by the process that had the lock
		return path, nil
	}
	if err := install(ctx, packageName); err != nil {
		return "", fmt.Errorf("no program %s: %w", name, err)
	}
	return exec.LookPath(name)
}

// lock lets one process install at a time.
func lock() (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(os.TempDir(), "postback-apt.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { _ = file.Close() }, nil // closing gives the lock back
}

func install(ctx context.Context, packageName string) error {
	const wait = "DPkg::Lock::Timeout=300" // for somebody else's apt-get, in seconds
	for _, args := range [][]string{
		{"update", "-q", "-o", wait}, {"install", "-q", "-y", "--no-install-recommends", "-o", wait, packageName},
	} {
		command := exec.CommandContext(ctx, "apt-get", args...)
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if output, err := command.CombinedOutput(); err != nil {
			const tail = 500
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, output[max(0, len(output)-tail):])
		}
	}
	return nil
}
