package endpoint

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

const (
	defaultPoll     = 30 * time.Second
	defaultPatience = 5 * time.Second
	// retryAfter paces the looks at an update that is not complete yet; settle gathers the events of one update.
	retryAfter = 250 * time.Millisecond
	settle     = 20 * time.Millisecond
)

// WatchOptions shape a [Watch]. Logger and Clock are mandatory.
type WatchOptions struct {
	Logger *slog.Logger
	Clock  func() time.Time
	// Poll is how often the directory is looked at without any event; 0 = 30 s.
	Poll time.Duration
	// Patience is how long documents of different revisions pass for an update under way; 0 = 5 s.
	Patience time.Duration
	// OnChange is called for every snapshot but the first, after it has become the current one.
	OnChange func(*Snapshot)
}

// Status says how the reloading goes.
type Status struct {
	// Revision, LoadedAt and Endpoints describe the current snapshot.
	Revision  string
	LoadedAt  time.Time
	Endpoints int
	// LastError says in one line why the directory's present content is not served; empty while it is. LastErrorAt is
	// when that was last found, and stays when the error has gone.
	LastError   string
	LastErrorAt time.Time
	// Reloads counts the snapshots that replaced another, Failures the attempts that kept the last good one.
	Reloads, Failures uint64
}

// Watch keeps the snapshot of a configuration directory current: whole or not at all, and the last good one while the
// directory's content is not usable. Its methods may be called concurrently.
type Watch struct {
	dir     string
	options WatchOptions
	current atomic.Pointer[Snapshot]

	mu     sync.Mutex
	status Status

	// What follows is Run's alone once Load has returned.
	manifest        []byte
	incompleteSince time.Time
	logged          string
}

// Load reads the directory once and returns a Watch that serves its content. [Watch.Run] keeps it current.
// The error is one line, names what is wrong, and contains no secret.
func Load(dir string, options WatchOptions) (*Watch, error) {
	if options.Poll == 0 {
		options.Poll = defaultPoll
	}
	if options.Patience == 0 {
		options.Patience = defaultPatience
	}
	w := &Watch{dir: dir, options: options}
	snapshot, manifest, err := w.read()
	if err != nil {
		return nil, errors.New(oneLine(err))
	}
	w.serve(snapshot, manifest)
	return w, nil
}

// Current returns the snapshot to serve by; never nil.
func (w *Watch) Current() *Snapshot { return w.current.Load() }

// Status returns how the reloading goes.
func (w *Watch) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// Run follows the directory until ctx is done: by its file events, and by looking now and then, since events get lost
// on some volumes. It watches the directory rather than its files, because an update replaces a link in it.
func (w *Watch) Run(ctx context.Context) {
	events, stop := w.events()
	defer stop()
	timer := time.NewTimer(w.options.Poll)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			timer.Reset(settle)
		case <-timer.C:
			timer.Reset(w.reload())
		}
	}
}

// events returns the directory's events, or none when the system gives no watch: then polling has to do.
func (w *Watch) events() (<-chan fsnotify.Event, func()) {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		if err = watcher.Add(w.dir); err == nil {
			return watcher.Events, func() { _ = watcher.Close() }
		}
		_ = watcher.Close()
	}
	w.options.Logger.Warn("Following the configuration by polling only", "every", w.options.Poll, "error", err)
	return nil, func() {}
}

// reload looks at the directory and returns when to look again.
func (w *Watch) reload() time.Duration {
	snapshot, manifest, err := w.read()
	switch {
	case err == nil && snapshot == nil:
		w.recovered()
	case err == nil:
		w.serve(snapshot, manifest)
		w.logged = ""
		w.options.Logger.Info("Serving a new configuration", "revision", snapshot.Revision, "endpoints",
			len(snapshot.Endpoints()))
		if w.options.OnChange != nil {
			w.options.OnChange(snapshot)
		}
	case w.underWay(err):
		return retryAfter
	default:
		w.failed(err)
		return w.options.Poll
	}
	w.incompleteSince = time.Time{}
	return w.options.Poll
}

// underWay reports whether err is what an update looks like in the middle, and has not lasted too long for one.
func (w *Watch) underWay(err error) bool {
	if !errors.Is(err, config.ErrIncomplete) && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	now := w.options.Clock()
	if w.incompleteSince.IsZero() {
		w.incompleteSince = now
	}
	return now.Sub(w.incompleteSince) < w.options.Patience
}

func (w *Watch) serve(snapshot *Snapshot, manifest []byte) {
	w.manifest = manifest
	replaced := w.current.Swap(snapshot) != nil
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Revision, w.status.Endpoints = snapshot.Revision, len(snapshot.Endpoints())
	w.status.LoadedAt, w.status.LastError = w.options.Clock(), ""
	if replaced {
		w.status.Reloads++
	}
}

// recovered notes that the directory holds again what is being served.
func (w *Watch) recovered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status.LastError != "" {
		w.options.Logger.Info("The configuration is again what is being served", "revision", w.status.Revision)
	}
	w.status.LastError, w.logged = "", ""
}

func (w *Watch) failed(err error) {
	text := oneLine(err)
	if text != w.logged {
		w.options.Logger.Error("Keeping the last good configuration", "revision", w.Current().Revision, "error", text)
		w.logged = text
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.LastError, w.status.LastErrorAt = text, w.options.Clock()
	w.status.Failures++
}

func oneLine(err error) string { return strings.Join(strings.Split(err.Error(), "\n"), "; ") }
