package apply

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/postback-dev/postback-operator/controllers/resources"
)

func TestTheAPIServersWordShowsNoValueOfASecret(t *testing.T) {
	const value = "canary-of-a-secret"
	encoded := base64.StdEncoding.EncodeToString([]byte(value))
	secret := resources.Child{Kind: resources.KindSecret, Name: "shop-key"}
	want := map[string]any{"data": map[string]any{"key": encoded, "empty": ""}}
	invalid := func(errs ...*field.Error) error {
		return apierrors.NewInvalid(schema.GroupKind{Kind: "Secret"}, "shop-key", errs)
	}
	for name, c := range map[string]struct {
		cause error
		says  string
	}{
		"a policy": {apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "shop-key",
			errors.New("not with "+value+" or "+encoded)), "not with … or …"},
		"a policy that says invalid": {&apierrors.StatusError{ErrStatus: metav1.Status{Reason: metav1.StatusReasonInvalid,
			Details: &metav1.StatusDetails{
				Causes: []metav1.StatusCause{{Message: "ask the platform team about " + value}},
			}}}, "the API server refuses it; ask the platform team about …"},
		"a quota": {apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "shop-key",
			errors.New("exceeded quota: few")), "exceeded quota: few"},
		"immutable": {invalid(field.Forbidden(field.NewPath("data"), "field is immutable when `immutable` is set")),
			"data: Forbidden: field is immutable when `immutable` is set"},
		"a value": {invalid(field.Invalid(field.NewPath("data").Key("key"), value, "too long")),
			"the API server refuses it; data[key]"},
	} {
		t.Run(name, func(t *testing.T) {
			err := refused(secret, want, c.cause)
			if says := err.Error(); !strings.Contains(says, c.says) || strings.Contains(says, value) ||
				strings.Contains(says, encoded) {
				t.Errorf("it says %s", says)
			}
			if !errors.Is(err, c.cause) {
				t.Error("the cause is lost")
			}
		})
	}
	service := refused(resources.Child{Kind: resources.KindService, Name: "shop"}, nil, errors.New("as it is"))
	if service.Error() != "applying Service shop: as it is" {
		t.Errorf("it says %v", service)
	}
}

func TestTheAPIServersWordIsNoDump(t *testing.T) {
	invalid := func(errs ...*field.Error) error {
		return apierrors.NewInvalid(schema.GroupKind{Kind: "StatefulSet"}, "shop", errs)
	}
	at := field.NewPath("spec", "template")
	for name, c := range map[string]struct {
		cause error
		says  string
	}{
		"a value": {invalid(field.Invalid(at.Child("host"), "1.2.3.4", "must be a DNS name")),
			`spec.template.host: Invalid value: "1.2.3.4": must be a DNS name`},
		"an object": {invalid(field.Invalid(at, map[string]any{"a": map[string]int{"b": 1}}, "field is immutable")),
			"spec.template: field is immutable"},
		"a difference of objects": {invalid(field.Forbidden(at, "updates are forbidden\n  core.Spec{\n-   A: 1,\n+   A: 2,\n  }"),
			field.Required(at.Child("b"), "")), "spec.template: Forbidden: updates are forbidden; spec.template.b: Required value"},
	} {
		t.Run(name, func(t *testing.T) {
			err := refused(resources.Child{Kind: resources.KindStatefulSet, Name: "shop"}, nil, c.cause)
			if got := err.Error(); got != "applying StatefulSet shop: "+c.says {
				t.Errorf("it says %s", got)
			}
		})
	}
}
