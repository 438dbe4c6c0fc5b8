package reach_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The endpoint's own token only reads. Who changes something takes the fleet's, and is named by the API server.
func TestAChangeIsAskedForWithTheTokenOfTheFleet(t *testing.T) {
	var asked http.Header
	answering := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			asked = r.Header.Clone()
		}
		_, _ = io.WriteString(w, `{"id":"o1","kind":"replay","state":"dry_run_done","total":0}`)
	}))
	defer answering.Close()
	c := newCluster(answering.Listener.Addr().String())
	c.objects[tokenPath] = &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, Data: map[string][]byte{"apiToken": []byte("only-reads")},
	}
	c.objects["/apis/authentication.k8s.io/v1/selfsubjectreviews"] = &authenticationv1.SelfSubjectReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authentication.k8s.io/v1", Kind: "SelfSubjectReview"},
		Status:   authenticationv1.SelfSubjectReviewStatus{UserInfo: authenticationv1.UserInfo{Username: "ann@example.com"}},
	}
	code, _, errs := c.kubectl(t, "replay", "shop", "--note", "why", "--dry-run")
	if code != 0 || asked.Get("Authorization") != "Bearer token-of-the-fleet" ||
		asked.Get("X-Postback-Actor") != "ann@example.com" {
		t.Errorf("exit code %d, %s, asked with %v", code, errs, asked)
	}
	c.refuse[opsPath] = apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "shop-ops", nil)
	code, out, errs := c.kubectl(t, "replay", "shop", "--note", "why", "--dry-run")
	if code != 1 || out != "" || !strings.Contains(errs, "you may not read the Secret default/shop-ops") ||
		strings.Count(errs, "\n") != 1 {
		t.Errorf("without the right: exit code %d, %s%s", code, out, errs)
	}
}
