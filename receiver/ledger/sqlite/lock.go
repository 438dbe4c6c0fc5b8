package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"
	"time"
)

// errInUse wraps nothing: the user is to find the other process.
var errInUse = errors.New("store is in use by another receiver")

// lockEvery is how often a lock that another process has is tried again.
const lockEvery = 100 * time.Millisecond

// lockFile takes the lock that keeps a second process out, and waits for it at most that long. The kernel drops it when
// the process ends, however it ends; the file stays.
func lockFile(ctx context.Context, path string, wait time.Duration, logger *slog.Logger) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the user names the store
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(wait)
	for waited := false; ; waited = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			_ = f.Close()
			return nil, err
		case ctx.Err() != nil || !time.Now().Before(deadline):
			_ = f.Close()
			return nil, errInUse
		case !waited:
			logger.Info("Store is in use by another receiver, waiting until that has ended", "at_most", wait)
		}
		select {
		case <-ctx.Done():
		case <-time.After(lockEvery):
		}
	}
}
