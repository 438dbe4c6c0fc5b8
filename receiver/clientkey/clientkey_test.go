package clientkey

import (
	"net/http"
	"testing"
)

func TestOrigin(t *testing.T) {
	for _, test := range []struct{ name, origin, referer, want string }{
		{"a script's request", "https://shop.example", "https://shop.example/cart", "https://shop.example"},
		{"an image's", "", "https://shop.example/", "https://shop.example"},
		{"an image's of a page with a path and a query", "", "https://Shop.Example:8443/cart?x=https://other.example/", "https://shop.example:8443"},
		{"Origin goes before Referer", "https://evil.example", "https://shop.example/", "https://evil.example"},
		{"an origin that is hidden", "null", "https://shop.example/", ""},
		{"neither", "", "", ""},
		{"a path for a referrer", "", "/cart", ""},
		{"text for a referrer", "", "shop.example", ""},
		{"a referrer that is no URL", "", "https://shop.example:port/", ""},
		{"a name before the host", "", "https://shop.example@evil.example/", "https://evil.example"},
		{"an app", "", "android-app://com.example/", "android-app://com.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{}
			if test.origin != "" {
				header.Set("Origin", test.origin)
			}
			if test.referer != "" {
				header.Set("Referer", test.referer)
			}
			if got := Origin(header); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
