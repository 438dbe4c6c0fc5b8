package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

// documents seals a configuration of one endpoint with the key "key-N".
func documents(t *testing.T, n int) config.Documents {
	t.Helper()
	e := receivertest.Endpoint()
	e.Keys = []config.Key{{ID: fmt.Sprintf("k%d", n), SHA256: config.Digest(fmt.Sprintf("key-%d", n))}}
	sealed, err := config.Seal(receivertest.Fleet(), []config.Endpoint{e})
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func writeFiles(t *testing.T, dir string, files config.Documents) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// mount replaces the content of dir as the kubelet does: a new directory, then the link to it, then the old one goes.
func mount(t *testing.T, dir string, files config.Documents) {
	t.Helper()
	fresh, err := os.MkdirTemp(dir, "..")
	if err != nil {
		t.Fatal(err)
	}
	writeFiles(t, fresh, files)
	link, next := filepath.Join(dir, generation), filepath.Join(dir, "..data_tmp")
	old, _ := os.Readlink(link)
	if err := os.Symlink(filepath.Base(fresh), next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, link); err != nil {
		t.Fatal(err)
	}
	if old != "" {
		if err := os.RemoveAll(filepath.Join(dir, old)); err != nil {
			t.Fatal(err)
		}
	}
}

func serves(w *Watch, n int) bool {
	_, _, ok := w.Current().ByKey(fmt.Sprintf("key-%d", n), time.Now())
	return ok
}

// clock is a hand-set clock.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func load(t *testing.T, dir string) (*Watch, *clock, *bytes.Buffer) {
	t.Helper()
	c, log := &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, &bytes.Buffer{}
	w, err := Load(dir, WatchOptions{Logger: slog.New(slog.NewTextHandler(log, nil)), Clock: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return w, c, log
}

func TestLoadServesWhatTheDirectoryHolds(t *testing.T) {
	for name, write := range map[string]func(*testing.T, string, config.Documents){
		"a plain directory":           writeFiles,
		"a directory that is mounted": mount,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, documents(t, 1))
			w, c, _ := load(t, dir)
			if !serves(w, 1) || serves(w, 2) {
				t.Error("another key than the directory's is served")
			}
			want := Status{Revision: w.Current().Revision, LoadedAt: c.now, Endpoints: 1}
			if got := w.Status(); got != want || got.Revision == "" {
				t.Errorf("status %+v, want %+v", got, want)
			}
		})
	}
}

func TestLoadSaysInOneLineWhatIsWrong(t *testing.T) {
	broken := documents(t, 1)
	broken["shard-000.json"] = bytes.Replace(broken["shard-000.json"], []byte("USD"), []byte("usd"), 1)
	for _, test := range []struct {
		name  string
		files config.Documents
		want  string
	}{
		{"an empty directory", nil, "manifest.json"},
		{"a manifest that is no JSON", config.Documents{"manifest.json": []byte("\n\n{")}, "manifest.json"},
		{"a manifest without its shard", config.Documents{"manifest.json": broken["manifest.json"]}, "shard-000.json"},
		{"a shard of another revision", broken, "shard-000.json"},
		{"a manifest that is too large", config.Documents{"manifest.json": make([]byte, config.MaxDocumentBytes+10)},
			"more than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			writeFiles(t, dir, test.files)
			_, err := Load(dir, WatchOptions{Logger: slog.New(slog.DiscardHandler), Clock: time.Now})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line with %q", err, test.want)
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none"), WatchOptions{}); err == nil {
		t.Error("a directory that does not exist is no error")
	}
}

func TestABadUpdateKeepsTheLastGoodConfigurationAndIsLoudOnce(t *testing.T) {
	dir := t.TempDir()
	mount(t, dir, documents(t, 1))
	w, c, log := load(t, dir)
	loaded := c.now

	mount(t, dir, config.Documents{"manifest.json": []byte("{}")})
	for range 3 {
		c.now = c.now.Add(30 * time.Second)
		w.reload()
	}
	status := w.Status()
	if !serves(w, 1) || status.LastError == "" || status.Failures != 3 || !status.LastErrorAt.Equal(c.now) ||
		!status.LoadedAt.Equal(loaded) {
		t.Errorf("after a bad update: %+v", status)
	}
	if got := strings.Count(log.String(), "level=ERROR"); got != 1 {
		t.Errorf("logged %d errors, want 1:\n%s", got, log)
	}

	mount(t, dir, documents(t, 1))
	w.reload()
	if status := w.Status(); status.LastError != "" || status.Reloads != 0 {
		t.Errorf("after going back: %+v", status)
	}
	mount(t, dir, documents(t, 2))
	w.reload()
	if status := w.Status(); !serves(w, 2) || serves(w, 1) || status.Reloads != 1 ||
		status.Revision != w.Current().Revision {
		t.Errorf("after a good update: %+v", status)
	}
}

func TestAnUpdateUnderWayIsNoErrorUntilItLastsTooLong(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, documents(t, 1))
	w, c, _ := load(t, dir)
	next := documents(t, 2)
	writeFiles(t, dir, config.Documents{"manifest.json": next["manifest.json"]})

	for range 4 {
		if again := w.reload(); again != retryAfter || w.Status().LastError != "" {
			t.Fatalf("looking again in %v with %+v", again, w.Status())
		}
		c.now = c.now.Add(time.Second)
	}
	c.now = c.now.Add(time.Second)
	if again := w.reload(); again != defaultPoll || w.Status().LastError == "" {
		t.Errorf("after %v: looking again in %v with %+v", defaultPatience, again, w.Status())
	}
	writeFiles(t, dir, next)
	if w.reload(); !serves(w, 2) || w.Status().LastError != "" {
		t.Errorf("the whole update is not served: %+v", w.Status())
	}
}

func TestRunServesEveryUpdateWhole(t *testing.T) {
	for name, poll := range map[string]time.Duration{"told by events": time.Hour, "by looking": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mount(t, dir, documents(t, 0))
			changed := make(chan *Snapshot, 1)
			w, err := Load(dir, WatchOptions{
				Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Poll: poll,
				OnChange: func(s *Snapshot) { changed <- s },
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { w.Run(ctx) })
			defer running.Wait()
			defer stop()
			for n := 1; n <= 10; n++ {
				mount(t, dir, documents(t, n))
				// The watch may begin after the first update, which then only polling would find.
				for got := (*Snapshot)(nil); got == nil; {
					select {
					case got = <-changed:
					case <-time.After(100 * time.Millisecond):
						mount(t, dir, documents(t, n))
					}
				}
				if !serves(w, n) || serves(w, n-1) {
					t.Fatalf("update %d is not what is served", n)
				}
			}
		})
	}
}
