package request

import (
	"net/url"
	"testing"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ sent, path, query string }{
		{"/key/postback?subid=X", "/key/postback", "subid=X"},
		{"//key/postback", "/key/postback", ""},
		{"/key//postback", "/key/postback", ""},
		{"///key///postback///?a=1", "/key/postback", "a=1"},
		{"/spring/", "/spring", ""},
		{"/", "/", ""},
		{"//", "/", ""},
		{"//api.php", "/api.php", ""},
		{"/key%2Fpostback", "/key%2Fpostback", ""},
		{"/key%2fpostback/", "/key%2fpostback", ""},
		{"/%6Bey/postback", "/key/postback", ""},
		{"/key/postback&subid=X&status=sale", "/key/postback", "subid=X&status=sale"},
		{"/key/postback.gif&subid=X", "/key/postback.gif", "subid=X"},
		{"/key/postback&subid=X?status=sale", "/key/postback", "subid=X&status=sale"},
		{"/key/postback&subid=X&date=2026/11/27", "/key/postback", "subid=X&date=2026/11/27"},
		{"/more/key/postback&subid=X", "/more/key/postback&subid=X", ""},
		{"/key/postback&", "/key/postback", ""},
	} {
		u, err := url.ParseRequestURI(c.sent)
		if err != nil {
			t.Fatal(err)
		}
		Clean(u)
		if u.Path != c.path || u.RawQuery != c.query {
			t.Errorf("%s became %s and %q, want %s and %q", c.sent, u.Path, u.RawQuery, c.path, c.query)
		}
	}
}
