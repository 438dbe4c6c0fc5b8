package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// errInUse wraps nothing: the user is to find the other process.
var errInUse = errors.New("store is in use by another receiver")

// lockFile takes the lock that keeps a second process out. The kernel drops it when the process ends, however it ends;
// the file stays.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the user names the store
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errInUse
		}
		return nil, err
	}
	return f, nil
}
