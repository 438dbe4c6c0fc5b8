package ops

import (
	"net/http"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/space"
)

func TestVolumesAreMeasuredWhereTheyCanBe(t *testing.T) {
	o := options(&fakeStore{})
	o.Volumes = func() []space.Status {
		return []space.Status{
			{Name: "store", Bytes: 5000, Free: -1},
			{Name: "spool", Bytes: 70, Free: 10 << 20, Level: space.NoQueries},
		}
	}
	got := scrape(t, o)
	for series, want := range map[string]string{
		`postback_store_bytes{volume="store"}`:       "5000",
		`postback_store_bytes{volume="spool"}`:       "70",
		`postback_store_free_bytes{volume="spool"}`:  "1.048576e+07",
		`postback_store_space_level{volume="spool"}`: "2",
		`postback_store_free_bytes{volume="store"}`:  "",
		`postback_store_space_level{volume="store"}`: "",
	} {
		if got[series] != want {
			t.Errorf("%s = %q, want %q", series, got[series], want)
		}
	}
}

func TestReadyzSaysWhatIsGivenUp(t *testing.T) {
	o := options(&fakeStore{})
	o.Volumes = func() []space.Status {
		return []space.Status{{Name: "store", Free: 12 << 20, Level: space.NoClicks}, {Name: "spool", Free: 1 << 40}}
	}
	w := get(New(o), "/readyz")
	if want := "ready\nspace: the volume of the store has 12 MiB left: clicks are not " +
		"recorded\n"; w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("%d %q, want %q", w.Code, w.Body, want)
	}
}
