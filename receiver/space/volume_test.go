package space

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// disk is a file system that the test fills.
type disk struct {
	free, reusable int64
	err            error
	asked          int
	now            time.Time
	log            bytes.Buffer
}

// newDisk returns a volume of 100,000 bytes with a reserve of 1,000.
func newDisk(t *testing.T, free int64) (*disk, *Volume) {
	t.Helper()
	d := &disk{free: free, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	return d, NewVolume(VolumeOptions{
		Name: "store", Dir: "/store", Reserve: 1000,
		Reusable: func() (int64, error) { return d.reusable, nil },
		Statfs: func(path string) (free, total int64, err error) {
			if path != "/store" {
				t.Errorf("%s is measured", path)
			}
			d.asked++
			return d.free, 100_000, d.err
		},
		Logger: slog.New(slog.NewTextHandler(&d.log, nil)),
		Clock:  func() time.Time { return d.now },
	})
}

// logged returns the messages since it was last called.
func (d *disk) logged() []string {
	var messages []string
	for line := range strings.Lines(d.log.String()) {
		_, after, _ := strings.Cut(line, `msg="`)
		message, _, _ := strings.Cut(after, `"`)
		messages = append(messages, message)
	}
	d.log.Reset()
	return messages
}

func TestAVolumeIsMeasuredEachSecondAtMost(t *testing.T) {
	d, v := newDisk(t, 5000)
	for range 1000 {
		if got := v.Level(); got != Everything {
			t.Fatal(got)
		}
	}
	d.free = 0
	d.now = d.now.Add(measureEvery - 1)
	if got := v.Level(); got != Everything || d.asked != 1 {
		t.Errorf("%v, measured %d times within a second", got, d.asked)
	}
	d.now = d.now.Add(1)
	if got := v.Level(); got != NoPostbacks || d.asked != 2 {
		t.Errorf("%v, measured %d times after a second", got, d.asked)
	}
	d.free = 5000
	d.now = d.now.Add(-time.Hour) // A clock that is set back does not stop it.
	if got := v.Level(); got != Everything {
		t.Error(got)
	}
}

func TestAVolumeSaysOnceAMinuteWhatIsGivenUp(t *testing.T) {
	d, v := newDisk(t, 5000)
	pass := func(seconds int, free int64) {
		d.free = free
		for range seconds {
			d.now = d.now.Add(time.Second)
			v.Level()
		}
	}
	const fills = "A volume has no room left but its reserve: "
	pass(60, 5000)
	if got := d.logged(); len(got) > 0 {
		t.Errorf("with room it logs %q", got)
	}
	pass(150, 900)
	if diff := cmp.Diff([]string{fills + NoClicks.String(), fills + NoClicks.String(), fills + NoClicks.String()},
		d.logged()); diff != "" {
		t.Errorf("within 150 s (-want +got):\n%s", diff)
	}
	since := v.Status().Since
	if want := d.now.Add(-149 * time.Second); !since.Equal(want) {
		t.Errorf("the level is there since %v, want %v", since, want)
	}
	pass(60, 10)
	if diff := cmp.Diff([]string{fills + NoPostbacks.String()}, d.logged()); diff != "" {
		t.Errorf("a minute later (-want +got):\n%s", diff)
	}
	pass(60, 5000)
	if diff := cmp.Diff([]string{"A volume has room again"}, d.logged()); diff != "" {
		t.Errorf("with room again (-want +got):\n%s", diff)
	}
}

func TestAVolumeThatCannotBeMeasuredHasRoom(t *testing.T) {
	d, v := newDisk(t, 10)
	d.logged()
	d.err = errors.New("no such device")
	for range 3 {
		d.now = d.now.Add(time.Second)
		if got := v.Status(); got.Level != Everything || got.Free != -1 {
			t.Errorf("%+v", got)
		}
	}
	if diff := cmp.Diff([]string{"A volume cannot be measured", "A volume has room again"}, d.logged()); diff != "" {
		t.Errorf("logged (-want +got):\n%s", diff)
	}
}

func TestTheSystemSaysHowMuchIsFree(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "store.db")
	if err := os.WriteFile(file, make([]byte, 12345), 0o600); err != nil {
		t.Fatal(err)
	}
	v := NewVolume(VolumeOptions{Name: "store", Dir: dir, Files: []string{file, file + "-wal"}, Reserve: 1,
		Logger: slog.New(slog.DiscardHandler)})
	free, total, err := statfs(dir)
	if got := v.Status(); err != nil || got.Bytes != 12345 || got.Level != Everything || free <= 0 || total < free ||
		got.Free <= 0 {
		t.Errorf("%+v; %d of %d bytes are free: %v", got, free, total, err)
	}
	if _, _, err := statfs(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// spool keeps what it is given.
type spool struct {
	ledger.Spool
	rows   []ledger.Received
	status ledger.SpoolStatus
}

func (s *spool) Append(postbacks []ledger.Postback) error {
	for _, p := range postbacks {
		s.rows = append(s.rows, p.Log)
	}
	return nil
}

func (s *spool) Status() ledger.SpoolStatus { return s.status }

func TestASpoolTakesWhatItsVolumeHasRoomFor(t *testing.T) {
	for name, c := range map[string]struct {
		free    int64
		want    []string
		wantErr error
	}{
		"with room":                 {5000, []string{"q1", "q2"}, nil},
		"without room for clicks":   {900, []string{"q1", "q2"}, nil},
		"without room for queries":  {400, []string{"", ""}, nil},
		"without room for anything": {200, nil, ErrNoSpace},
	} {
		t.Run(name, func(t *testing.T) {
			_, v := newDisk(t, c.free)
			inner := &spool{}
			s := Spool{Spool: inner, Volume: v}
			sent := []ledger.Postback{
				{Log: ledger.Received{Query: "q1", Body: "b1"}, Intent: &conversion.Intent{SubID: "c1"}},
				{Log: ledger.Received{Query: "q2"}},
			}
			if err := s.Append(sent); !errors.Is(err, c.wantErr) {
				t.Fatal(err)
			}
			var kept []string
			for _, row := range inner.rows {
				kept = append(kept, row.Query)
			}
			if diff := cmp.Diff(c.want, kept); diff != "" {
				t.Errorf("queries that are kept (-want +got):\n%s", diff)
			}
			if sent[0].Log.Query != "q1" || sent[0].Log.Body != "b1" {
				t.Error("the caller's own postback was changed")
			}
			if failing := !s.Status().FailingSince.IsZero(); failing != (c.wantErr != nil) {
				t.Errorf("it says that it is failing: %v", failing)
			}
		})
	}
}
