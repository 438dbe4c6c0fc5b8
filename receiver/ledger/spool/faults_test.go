package spool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/ledger/faultdisk"
)

// faultyFiles are those of a disk that may fail.
type faultyFiles struct{ *faultdisk.Disk }

func (f faultyFiles) OpenFile(path string) (File, error) { return f.Disk.OpenFile(path) }

// load is a spool on a disk that may fail, and what was promised of it.
type load struct {
	*testing.T
	disk *faultdisk.Disk
	*Spool
	// appended are the numbers of the postbacks that were promised to be durable, with the number of changes of the disk
	// by then; removed are those that Remove was called for, by then.
	appended, removed map[int]int
	next              int
}

func openLoad(t *testing.T, d *faultdisk.Disk) (*load, error) {
	s, err := Open(t.Context(), d.Dir, Options{Files: faultyFiles{d}})
	return &load{T: t, disk: d, Spool: s, appended: map[int]int{}, removed: map[int]int{}, next: 1}, err
}

func newLoad(t *testing.T, d *faultdisk.Disk) *load {
	t.Helper()
	l, err := openLoad(t, d)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// add appends the next two postbacks.
func (l *load) add() error {
	n := l.next
	l.next += 2
	if err := l.Append(postbacks(n, n+2)); err != nil {
		return err
	}
	l.appended[n], l.appended[n+1] = l.disk.Changes(), l.disk.Changes()
	return nil
}

// deliver takes up to n postbacks out.
func (l *load) deliver(n int) error {
	records, err := l.Next(n)
	if err != nil || len(records) == 0 {
		return err
	}
	for _, r := range records {
		l.removed[numberOf(r.Log.ID)] = l.disk.Changes()
	}
	return l.Remove(records[len(records)-1].Seq)
}

// replace replaces the file of an empty spool, as it happens when a delivered record cannot be removed.
func (l *load) replace() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.status.Postbacks+l.status.Dead > 0 {
		return nil
	}
	return l.startAfresh()
}

func numberOf(id [16]byte) int { return int(id[15]) }

// work is a small load. Failures are what the disk may cause; it goes on.
func (l *load) work() (failed error) {
	try := func(err error) { failed = errors.Join(failed, err) }
	try(l.add())
	try(l.deliver(10))
	try(l.replace())
	try(l.add())
	try(l.add())
	try(l.deliver(3))
	if records, err := l.Next(1); err == nil && len(records) > 0 {
		l.removed[numberOf(records[0].Log.ID)] = l.disk.Changes()
		try(l.DeadLetter(records[0].Seq, errors.New("refused")))
	}
	try(l.deliver(10))
	try(l.add())
	return failed
}

// verify opens the disk as the next process does: what was promised by the change n is there, was removed, or is
// reported missing; nothing is there twice.
func (l *load) verify(what string, after *faultdisk.Disk, n int) (missing int64) {
	l.Helper()
	defer after.Discard()
	next, err := openLoad(l.T, after)
	if err != nil {
		l.Errorf("%s: %v", what, err)
		return 0
	}
	defer func() { _ = next.Close() }()
	records, err := next.Next(100)
	if err != nil {
		l.Errorf("%s: %v", what, err)
	}
	var found []int
	for _, r := range records {
		if number := numberOf(r.Log.ID); slices.Contains(found, number) {
			l.Errorf("%s: postback %d is there twice", what, number)
		} else {
			found = append(found, number)
		}
	}
	missing = next.Status().Missing
	lost := int64(0)
	for number, when := range l.appended {
		removed, gone := l.removed[number]
		if when <= n && !slices.Contains(found, number) && (!gone || removed > n) {
			lost++
		}
	}
	if lost > missing {
		l.Errorf("%s: %d postbacks are gone that were acknowledged, %d of them reported; there are %v", what, lost, missing,
			found)
	}
	last := int64(0)
	if len(records) > 0 {
		last = records[len(records)-1].Seq
	}
	if err := next.Append(postbacks(200, 201)); err != nil {
		l.Errorf("%s: the spool takes nothing: %v", what, err)
	}
	if records, err := next.Next(100); err != nil || len(records) != len(found)+1 || records[len(found)].Seq <= last {
		l.Errorf("%s: %d records after another one, %v", what, len(records), err)
	}
	return missing
}

// TestACrashAtAnyMomentLosesNothingThatWasAcknowledged cuts the power after each change of the disk, from the creation
// of the spool to its end.
func TestACrashAtAnyMomentLosesNothingThatWasAcknowledged(t *testing.T) {
	d := faultdisk.New(t)
	l := newLoad(t, d)
	if err := l.work(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for n := range d.Changes() + 1 {
		fates := map[string]func(faultdisk.Change) faultdisk.Fate{
			"all that was synced": faultdisk.OnlySynced, "everything": faultdisk.Everything,
			"something": faultdisk.Some(rand.New(rand.NewPCG(uint64(n), 1))),
		}
		for name, fate := range fates {
			what := fmt.Sprintf("after change %d, keeping %s", n, name)
			if missing := l.verify(what, d.Crash(t, n, fate), n); missing > 0 {
				t.Errorf("%s: %d reported missing from a disk that kept what it had promised", what, missing)
			}
		}
	}
}

// TestADiskThatForgetsWhatItSyncedIsFoundOut lets the write-ahead log end earlier than it was synced, at each of its
// changes.
func TestADiskThatForgetsWhatItSyncedIsFoundOut(t *testing.T) {
	d := faultdisk.New(t)
	l := newLoad(t, d)
	if err := l.work(); err != nil {
		t.Fatal(err)
	}
	reported := int64(0)
	for first := range d.Changes() {
		forgets := func(c faultdisk.Change) faultdisk.Fate {
			if c.Name == "spool.db-wal" && c.Number >= first {
				return faultdisk.Lost
			}
			return faultdisk.OnlySynced(c)
		}
		reported += l.verify(fmt.Sprintf("forgetting from change %d on", first), d.Crash(t, d.Changes(), forgets),
			d.Changes())
	}
	if reported == 0 {
		t.Error("nothing was ever reported missing")
	}
	_ = l.Close()
}

// TestAFailingDiskIsNeverAcknowledged lets each call of the disk fail, once and for good, and cuts the power
// afterwards.
func TestAFailingDiskIsNeverAcknowledged(t *testing.T) {
	for _, kind := range []faultdisk.Kind{faultdisk.IOError, faultdisk.ShortWrite, faultdisk.NoSpace} {
		for name, times := range map[string]int{"once": 1, "for good": faultdisk.Always} {
			t.Run(fmt.Sprint(kind, " ", name), func(t *testing.T) {
				for skip, hit := 0, true; hit; skip++ {
					hit = failAt(t, kind, skip, times)
				}
			})
		}
	}
}

// failAt reports whether the load had a call that could fail.
func failAt(t *testing.T, kind faultdisk.Kind, skip, times int) bool {
	d := faultdisk.New(t)
	defer d.Discard()
	d.Inject(kind, skip, times)
	what := fmt.Sprint("call ", skip)
	l, err := openLoad(t, d)
	if err != nil {
		return true
	}
	err = l.work()
	hit := d.Calls(kind) > skip
	if hit && times > 1 && err == nil && kind != faultdisk.IOError {
		t.Errorf("%s: a disk that takes nothing failed nothing", what)
	}
	l.verify(what+", crash", d.Crash(t, d.Changes(), faultdisk.Some(rand.New(rand.NewPCG(uint64(skip), 2)))), d.Changes())
	d.Heal()
	if err := l.deliver(100); err != nil {
		t.Errorf("%s: the disk works again, and the spool delivers nothing: %v", what, err)
	}
	if err := l.add(); err != nil {
		t.Errorf("%s: the disk works again, and the spool says %v", what, err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	l.verify(what+", healed", d.Crash(t, d.Changes(), faultdisk.OnlySynced), d.Changes())
	return hit
}
