package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestATrafficSourceKeepsWhatComes(t *testing.T) {
	s := &source{}
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/source/a?x=%26&y=1", nil))
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/source/b", nil))
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/source/a", strings.NewReader("z=2")))
	got, err := s.list(Which{"/a"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Received{{"GET", "/a", "x=%26&y=1", ""}, {"POST", "/a", "", "z=2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestATrafficSourceForgetsTheOldestWhenItIsFull(t *testing.T) {
	s := &source{}
	for i := range maxReceived + 1 {
		s.keep(Received{Path: "/a", Query: fmt.Sprint(i)})
	}
	got, err := s.list(Which{"/a"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != maxReceived/2+1 || got[len(got)-1].Query != fmt.Sprint(maxReceived) ||
		got[0].Query != fmt.Sprint(maxReceived/2) {
		t.Errorf("%d kept, from %s to %s", len(got), got[0].Query, got[len(got)-1].Query)
	}
}

func TestATrafficSourceKeepsTheBeginningOfALongBody(t *testing.T) {
	s := &source{}
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/source/a",
		strings.NewReader(strings.Repeat("x", maxBody+1))))
	if got, err := s.list(Which{"/a"}); err != nil || len(got) != 1 || len(got[0].Body) != maxBody {
		t.Errorf("%d kept, %v", len(got), err)
	}
}
