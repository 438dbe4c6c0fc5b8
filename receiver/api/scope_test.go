package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

// tenant returns the API with an ops token, and the Authorization of the endpoint shop/main.
func tenant(t *testing.T, store *fakeStore, scopes ...read.Scope) (h http.Handler, authorization string) {
	t.Helper()
	file, err := OpenTokenFile(tokenFile(t, "s3cret-token\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := options(store)
	o.Token = file
	return New(o), "Bearer " + read.Token("s3cret-token", read.Grant{Endpoint: "shop/main", Scopes: scopes})
}

func TestATokenOfAnEndpointSelectsThatEndpoint(t *testing.T) {
	store := &fakeStore{}
	h, authorization := tenant(t, store, read.ScopeRead)
	for _, resource := range []string{"conversions", "postbacks", "forwards", "revenue"} {
		*store = fakeStore{}
		if w := request(h, http.MethodGet, "/api/v1/"+resource, authorization); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", resource, w.Code, w.Body)
		}
		if asked := store.conversionFilter.Endpoint + store.receivedFilter.Endpoint +
			store.outboxFilter.Endpoint; asked != "shop/main" {
			t.Errorf("%s: the store was asked about %q", resource, asked)
		}
		w := request(h, http.MethodGet, "/api/v1/"+resource+"?endpoint=shop/other", authorization)
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `"endpoint: `) {
			t.Errorf("%s of another endpoint: %d %s", resource, w.Code, w.Body)
		}
	}
	if w := request(h, http.MethodGet, "/api/v1/talkers", authorization); w.Code != http.StatusForbidden {
		t.Errorf("talkers: %d %s", w.Code, w.Body)
	}
}

func TestWhatIsOfAnotherEndpointIsNotThere(t *testing.T) {
	store := &fakeStore{history: []*conversion.Conversion{sale()}, forwards: []ledger.OutboxRow{{ID: ids(1)[0]}}}
	store.history[0].Endpoint = "shop/other"
	store.forwards[0].Slot.Endpoint = "shop/other"
	h, authorization := tenant(t, store, read.ScopeRead, read.ScopeWrite)
	history := "/api/v1/conversions/" + sale().ID.String() + "/history"
	resend := strings.Replace(resendPath, "{id}", ids(1)[0].String(), 1)
	for path, method := range map[string]string{history: http.MethodGet, resend: http.MethodPost} {
		theirs := request(h, method, path, authorization)
		if theirs.Code != http.StatusNotFound || len(store.resent) > 0 {
			t.Errorf("%s: %d %s", path, theirs.Code, theirs.Body)
		}
	}
	store.forwards[0].Slot.Endpoint = "shop/main"
	if w := request(h, http.MethodPost, resend, authorization); w.Code != http.StatusAccepted || len(store.resent) != 1 {
		t.Errorf("its own: %d %s", w.Code, w.Body)
	}
	store.history[0].Endpoint = "shop/main"
	if w := request(h, http.MethodGet, history, authorization); w.Code != http.StatusOK {
		t.Errorf("its own: %d %s", w.Code, w.Body)
	}
}

func TestATokenDoesWhatItsScopesSay(t *testing.T) {
	store := &fakeStore{}
	resend := strings.Replace(resendPath, "{id}", uuid.NewString(), 1)
	h, reader := tenant(t, store, read.ScopeRead)
	if w := request(h, http.MethodPost, resend, reader); w.Code != http.StatusForbidden ||
		!strings.Contains(w.Body.String(), "scope write") {
		t.Errorf("writing without the scope: %d %s", w.Code, w.Body)
	}
	h, writer := tenant(t, store, read.ScopeWrite)
	if w := request(h, http.MethodGet, "/api/v1/conversions", writer); w.Code != http.StatusForbidden {
		t.Errorf("reading without the scope: %d %s", w.Code, w.Body)
	}
}

func TestATokenEndsWithTheFleets(t *testing.T) {
	path := tokenFile(t, "first")
	file, err := OpenTokenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := options(&fakeStore{})
	o.Token = file
	h := New(o)
	authorization := "Bearer " + read.Token("first",
		read.Grant{Endpoint: "shop/main", Scopes: []read.Scope{read.ScopeRead}})
	if w := request(h, http.MethodGet, "/api/v1/conversions", authorization); w.Code != http.StatusOK {
		t.Errorf("before: %d", w.Code)
	}
	writeToken(t, path, "second")
	if w := request(h, http.MethodGet, "/api/v1/conversions", authorization); w.Code != http.StatusUnauthorized {
		t.Errorf("afterwards: %d", w.Code)
	}
}
