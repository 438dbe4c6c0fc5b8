package spool

import "testing"

func TestWhatHasLeftTheSpoolIsReusable(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	appended(t, s, postbacks(0, 500))
	before, err := s.Reusable()
	if err != nil {
		t.Fatal(err)
	}
	seqs, _ := next(t, s, 500)
	if err := s.Remove(seqs[len(seqs)-1]); err != nil {
		t.Fatal(err)
	}
	if after, err := s.Reusable(); err != nil || after < before+500*overhead {
		t.Errorf("%d bytes are reusable after %d: %v", after, before, err)
	}
}
