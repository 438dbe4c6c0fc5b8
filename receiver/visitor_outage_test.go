package main

import (
	"net/http"
	"strings"
	"testing"

	config "github.com/postback-dev/postback-operator/api/config/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/ledger/postgres/pgtest"
	"github.com/postback-dev/postback-operator/receiver/receivertest"
)

func TestVisitorsReachTheOfferWhileTheDatabaseIsAway(t *testing.T) {
	server := pgtest.Start(t, nil)
	endpoint, dir := receivertest.Endpoint(), t.TempDir()
	endpoint.Campaigns = []config.Campaign{{Name: "spring", Alias: "spring",
		OfferURL: "https://offer.example/?s={subid}&k={keyword}"}}
	if err := receivertest.WriteConfig(dir, receivertest.Fleet(), endpoint); err != nil {
		t.Fatal(err)
	}
	p := start(t, receivertest.Options{Program: program, Config: dir, Store: server.NewDatabase(t)})
	visit := func() (subid, cookie string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Addr+"/spring?keyword=shoes", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		subid, found := strings.CutPrefix(response.Header.Get("Location"), "https://offer.example/?s=")
		subid, rest, _ := strings.Cut(subid, "&")
		if response.StatusCode != http.StatusFound || !found || rest != "k=shoes" {
			t.Fatalf("%s to %s", response.Status, response.Header.Get("Location"))
		}
		return subid, response.Header.Get("Set-Cookie")
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if subid, cookie := visit(); subid != "" || cookie != "" {
		t.Errorf("a click that is not stored has the subid %q and the cookie %q", subid, cookie)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		subid, cookie := visit()
		return subid != "" && strings.HasPrefix(cookie, "subid="+subid+";")
	})
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}
