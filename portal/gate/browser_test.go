package gate

import (
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/receivertest/chromium"
)

var update = flag.Bool("update", false, "write the pictures of docs/console.md")

// TestABrowserSignsInAndOpensAConsole walks the lobby in both languages and themes.
func TestABrowserSignsInAndOpensAConsole(t *testing.T) {
	h := newHouse("")
	h.Hosts = []string{"127.0.0.1"}
	server := httptest.NewTLSServer(h)
	defer server.Close()
	_, token := person(t, "a", "reader")
	tab := chromium.Open(t, chromium.OwnCookies, nil).Tab(t)
	check := func(page string) {
		t.Helper()
		for tab.Text(`document.readyState`) != "complete" {
			time.Sleep(20 * time.Millisecond)
		}
		if wrong := tab.Accessible(); wrong != "" {
			t.Errorf("%s is not accessible:\n%s", page, wrong)
		}
		if tab.Text(`document.documentElement.scrollWidth > window.innerWidth ? "wide" : ""`) != "" {
			t.Errorf("%s scrolls sideways", page)
		}
	}
	if *update {
		takePictures(t, tab, server.URL, token)
		return
	}
	for _, in := range []struct{ lang, scheme, sign, choose, overview string }{
		{"en", "light", "Sign in", "Endpoints of the cluster", "Overview"},
		{"ru", "dark", "Вход", "Эндпоинты кластера", "Обзор"},
	} {
		tab.Look(360, 800, in.scheme)
		tab.Visit(server.URL + "/?lang=" + in.lang)
		tab.Await(in.sign)
		check(in.sign)
		tab.Text("document.querySelector('[name=token]').value = '" + token + "'; ''")
		tab.Click("form.tester button", in.choose)
		check(in.choose)
		if listed := tab.Text(`document.querySelector("tbody").innerText`); !strings.Contains(listed, "shop") ||
			strings.Contains(listed, "b\t") {
			t.Errorf("listed are %q", listed)
		}
		tab.Click("tbody a", in.overview)
		check(in.overview)
		if lang := tab.Text(`document.documentElement.lang`); lang != in.lang {
			t.Errorf("the console is in %s", lang)
		}
		tab.Click("form.side button", "Sign in") // In the browser's language.
		tab.Visit(server.URL + mine + "?lang=" + in.lang)
		tab.Await(in.sign)
	}
}

// takePictures shows the lobby in both colours.
func takePictures(t *testing.T, tab *chromium.Tab, address, token string) {
	t.Helper()
	take := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join("../../docs/images", "console-"+name+".png"), tab.Picture(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for scheme, suffix := range map[string]string{"light": "", "dark": "-dark"} {
		tab.Look(1280, 720, scheme)
		tab.Visit(address + "/?lang=en")
		tab.Await("Sign in")
		take("signin" + suffix)
		tab.Text("document.querySelector('[name=token]').value = '" + token + "'; ''")
		tab.Click("form.tester button", "Endpoints of the cluster")
		take("choose" + suffix)
		tab.Click("form.side button", "Sign in")
	}
}
