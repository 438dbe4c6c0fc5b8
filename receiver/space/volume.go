package space

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// measureEvery bounds how often a volume is measured.
	measureEvery = time.Second
	// remindEvery is how often the log repeats what is given up.
	remindEvery = time.Minute
)

// VolumeOptions of a [Volume]. Name, Dir, Files and Logger are mandatory.
type VolumeOptions struct {
	// Name says in the log and in metrics what is on the volume: "store" or "spool".
	Name string
	// Dir is a directory of the volume.
	Dir string
	// Files are those whose sizes count as the store's. They may be absent.
	Files []string
	// Reusable returns how many bytes are free within the files; nil = none.
	Reusable func() (int64, error)
	// Reserve as in [Room.Level].
	Reserve int64
	// Statfs returns the bytes of the file system that holds a path; nil = the system's.
	Statfs func(path string) (free, total int64, err error)
	Logger *slog.Logger
	// Clock; nil = [time.Now].
	Clock func() time.Time
}

// Volume measures the volume of a store's files. All methods may be called concurrently.
type Volume struct {
	VolumeOptions

	last atomic.Pointer[Status]
	// mu lets one caller measure; it guards what follows.
	mu       sync.Mutex
	reminded time.Time // when the log last said what is given up; zero = nothing is
	failing  bool      // the last attempt at measuring failed
}

// Status is what is known about a volume.
type Status struct {
	// Name is the volume's.
	Name string
	// Bytes are what the files take. Free are the file system's; -1 = that is not known.
	Bytes, Free int64
	Level       Level
	// Since is when the volume got to that level, At when it was measured.
	Since, At time.Time
}

// NewVolume returns a volume that has been measured once.
func NewVolume(o VolumeOptions) *Volume {
	if o.Statfs == nil {
		o.Statfs = statfs
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Reusable == nil {
		o.Reusable = func() (int64, error) { return 0, nil }
	}
	v := &Volume{VolumeOptions: o}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.measureLocked(o.Clock())
	return v
}

// Level says what the volume has no room for. A volume that cannot be measured has room for everything.
func (v *Volume) Level() Level { return v.Status().Level }

// Status returns what was measured within the last second. While somebody measures, the others get what was known
// before.
func (v *Volume) Status() Status {
	last, now := v.last.Load(), v.Clock()
	if age := now.Sub(last.At); age >= 0 && age < measureEvery || !v.mu.TryLock() {
		return *last
	}
	defer v.mu.Unlock()
	v.measureLocked(now)
	return *v.last.Load()
}

func (v *Volume) measureLocked(now time.Time) {
	status := Status{Name: v.Name, Free: -1, Since: now, At: now}
	room := Room{}
	var errs [3]error
	status.Bytes, errs[0] = sizeOf(v.Files)
	room.Free, room.Total, errs[1] = v.Statfs(v.Dir)
	room.Reusable, errs[2] = v.Reusable()
	if errs[1] == nil {
		status.Free, status.Level = room.Free, room.Level(v.Reserve)
	}
	if before := v.last.Load(); before != nil && before.Level == status.Level {
		status.Since = before.Since
	}
	v.reportLocked(status, errors.Join(errs[:]...))
	v.last.Store(&status)
}

func (v *Volume) reportLocked(status Status, err error) {
	if err != nil && !v.failing {
		v.Logger.Warn("A volume cannot be measured", "volume", v.Name, "error", err)
	}
	v.failing = err != nil
	switch {
	case status.Level == Everything && !v.reminded.IsZero():
		v.reminded = time.Time{}
		v.Logger.Info("A volume has room again", "volume", v.Name, "free", status.Free)
	case status.Level != Everything && status.At.Sub(v.reminded) >= remindEvery:
		v.reminded = status.At
		v.Logger.Error("A volume has no room left but its reserve: "+status.Level.String(), "volume", v.Name, "free",
			status.Free)
	}
}

// sizeOf returns how much the files take together.
func sizeOf(files []string) (bytes int64, err error) {
	for _, file := range files {
		info, err := os.Stat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return 0, err
		default:
			bytes += info.Size()
		}
	}
	return bytes, nil
}

func statfs(path string) (free, total int64, err error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return 0, 0, &fs.PathError{Op: "statfs", Path: path, Err: err}
	}
	//nolint:unconvert // It has another type on other systems.
	block := int64(stat.Bsize)
	return int64(stat.Bavail) * block, int64(stat.Blocks) * block, nil //nolint:gosec // No volume has 2^63 bytes.
}
