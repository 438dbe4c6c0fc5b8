package offline

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/postback-dev/postback-operator/controllers/credential"
)

// apiToken returns the token of the endpoint shop that was rendered; empty without one.
func (h *house) apiToken() string {
	h.t.Helper()
	kept, err := loadSecrets(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(kept.get(types.NamespacedName{Namespace: "default", Name: "shop-postback"})["apiToken"])
}

func TestAnEndpointGetsATokenWhereTheOpsTokenIsAmongTheFiles(t *testing.T) {
	ops := func(token string) string { return closed(secret("eu-ops", "token: "+token)) }
	shop, eu := endpoint("shop", "fleetRef: {name: eu}"), fleet("eu", "host: pb.example.com")
	want := func(token string) string {
		return credential.APIToken(types.NamespacedName{Namespace: "default", Name: "shop"}, []byte(token))
	}
	h := newHouse(t)
	h.mustRender(shop, eu)
	if h.apiToken() != "" {
		t.Error("there is one without an ops token")
	}
	h.mustRender(shop, eu, ops("first"))
	if h.apiToken() != want("first") {
		t.Error("the ops token that is among the files does not make it")
	}
	before := h.state()
	h.mustRender(shop, eu, ops("first"))
	for path, state := range h.state() {
		if before[path] != state {
			t.Errorf("%s is written again", path)
		}
	}
	h.mustRender(shop, eu, ops("second"))
	if h.apiToken() != want("second") {
		t.Error("it does not end with the ops token")
	}
	if said := h.out.String() + h.notices.String(); strings.Contains(said, "second") || strings.Contains(said, "pbo1") {
		t.Error("what is said shows a token")
	}
	h.mustRender(shop, eu)
	if h.apiToken() != "" {
		t.Error("one that nothing makes any more stays")
	}
}
