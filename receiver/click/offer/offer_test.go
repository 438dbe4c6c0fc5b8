package offer

import (
	"net/url"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
)

func TestRender(t *testing.T) {
	values := map[string]string{
		"subid": "s1", "keyword": "red shoes & more#1", "path": "../..//evil.example\\@x?y", "utm_x": "ü", "_x": "own",
		"empty": "", "source": "../..//evil.example\\@x?y", "crlf": "a\r\nSet-Cookie: b",
	}
	for _, test := range []struct{ name, template, want string }{
		{"no macro", "https://offer.example/?a=b", "https://offer.example/?a=b"},
		{"the subid", "https://offer.example/?clickid={subid}&x=1", "https://offer.example/?clickid=s1&x=1"},
		{"macros side by side", "https://offer.example/{subid}{subid}", "https://offer.example/s1s1"},
		{"a value cannot end its parameter", "https://offer.example/?k={keyword}",
			"https://offer.example/?k=red%20shoes%20%26%20more%231"},
		{"a value cannot leave its path segment", "https://offer.example/{path}/x",
			"https://offer.example/..%2F..%2F%2Fevil.example%5C%40x%3Fy/x"},
		{"a value cannot begin a header", "https://offer.example/?k={crlf}",
			"https://offer.example/?k=a%0D%0ASet-Cookie%3A%20b"},
		{"text beyond ASCII", "https://offer.example/?k={utm_x}", "https://offer.example/?k=%C3%BC"},
		{"a value that is missing", "https://offer.example/?k={empty}&l={other}", "https://offer.example/?k=&l="},
		{"braces that are no macro", "https://offer.example/?k={}&l={a b}&m={{subid}}&n={",
			"https://offer.example/?k={}&l={a%20b}&m={s1}&n={"},
		{"a raw value", "https://offer.example/?k={_source}", "https://offer.example/?k=../..//evil.example%5C@x%3Fy"},
		{"a raw value cannot end its parameter", "https://offer.example/?k={_keyword}",
			"https://offer.example/?k=red%20shoes%20%26%20more%231"},
		{"a parameter of the link with an underscore", "https://offer.example/?k={_x}", "https://offer.example/?k=own"},
		{"a template beyond ASCII", "https://offer.example/путь?k={subid}",
			"https://offer.example/%D0%BF%D1%83%D1%82%D1%8C?k=s1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			template, err := Parse(test.template)
			if err != nil {
				t.Fatal(err)
			}
			if got := template.Render(func(m *config.TemplatePart) string { return values[m.Macro] }); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestWhatIsNoOfferURL(t *testing.T) {
	for _, test := range []struct{ name, template string }{
		{"nothing", ""},
		{"a path", "/offer?subid={subid}"},
		{"no scheme", "//offer.example/"},
		{"a script", "javascript:alert({subid})"},
		{"another scheme", "ftp://offer.example/"},
		{"no host", "https:///x"},
		{"a macro for a scheme", "{scheme}://offer.example/"},
		{"a macro for a host", "https://{host}/"},
		{"a macro in a host", "https://{sub}.offer.example/"},
		{"a macro behind a host", "https://offer.example{rest}"},
		{"a macro for a port", "https://offer.example:{port}/"},
		{"a macro for a user", "https://{user}@offer.example/"},
		{"a user", "https://offer.example@evil.example/"},
		{"a backslash", `https://offer.example\@evil.example/`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Parse(test.template); err == nil {
				t.Errorf("%q was accepted", test.template)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"https://offer.example/?a={subid}", "https://{x}/", "http://a/{{x}}", "https://a?{",
		"https://a#{x}"} {
		f.Add(seed, "value")
	}
	f.Add("https://offer.example/{x}", "//evil.example/@\\\r\n")
	f.Fuzz(func(t *testing.T, text, value string) {
		template, err := Parse(text)
		if err != nil {
			return
		}
		plain, rendered := template.Render(func(*config.TemplatePart) string { return "x" }),
			template.Render(func(*config.TemplatePart) string { return value })
		if authority(plain) != authority(rendered) {
			t.Fatalf("%q with %q leads to %s instead of %s", text, value, authority(rendered), authority(plain))
		}
		if got, err := url.Parse(rendered); err == nil && got.Scheme+"://"+got.Host != authority(plain) {
			t.Fatalf("%q with %q leads to %s instead of %s", text, value, got.Host, authority(plain))
		}
		if strings.ContainsAny(rendered, "\r\n \t") {
			t.Fatalf("%q with %q is no header: %q", text, value, rendered)
		}
	})
}

// authority returns the URL up to the end of its host and port.
func authority(u string) string {
	scheme, rest, _ := strings.Cut(u, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return scheme + "://" + rest
}
