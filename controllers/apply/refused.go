package apply

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/postback-dev/postback-operator/controllers/resources"
)

// RefusedError is the API server's word on an object that it did not take: on quotas, policies and fields. It shows no
// value of a Secret.
type RefusedError struct {
	Kind, Name string
	says       string
	cause      error
}

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("applying %s %s: %s", e.Kind, e.Name, e.says)
}

// Unwrap returns the API server's error. It may show values.
func (e *RefusedError) Unwrap() error { return e.cause }

// OfFields reports whether fields are refused, which only another declaration repairs, and not by a quota or a policy.
func (e *RefusedError) OfFields() bool {
	return slices.ContainsFunc(causes(e.cause), func(c metav1.StatusCause) bool { return c.Field != "" })
}

// causes are what the API server says of each field that is invalid, or of each policy that refuses.
func causes(err error) []metav1.StatusCause {
	var answer apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &answer) || answer.Status().Details == nil {
		return nil
	}
	return answer.Status().Details.Causes
}

func refused(child resources.Child, want map[string]any, cause error) error {
	e := &RefusedError{Kind: child.Kind.Kind, Name: child.Name, says: withoutDumps(cause), cause: cause}
	if child.Kind == resources.KindSecret {
		e.says = withoutValues(cause, want)
	}
	return e
}

// withoutDumps returns what the API server says, of fields that are invalid without the whole objects that it prints.
func withoutDumps(cause error) string {
	found := causes(cause)
	if len(found) == 0 {
		return cause.Error()
	}
	words := make([]string, 0, len(found))
	for _, c := range found {
		says, _, _ := strings.Cut(c.Message, "\n")
		if end := strings.LastIndex(says, "}: "); end >= 0 && strings.HasPrefix(says, "Invalid value: ") {
			says = says[end+len("}: "):]
		}
		if c.Field != "" {
			says = c.Field + ": " + says
		}
		words = append(words, says)
	}
	return strings.Join(words, "; ")
}

// withoutValues returns what the API server says of a Secret: of fields that are invalid their names, since what it
// says of them may repeat the value, and else all but the values.
func withoutValues(cause error, want map[string]any) string {
	says := cause.Error()
	if found := causes(cause); len(found) > 0 {
		words := []string{"the API server refuses it"}
		for _, c := range found {
			switch {
			case c.Field == "":
				words = append(words, c.Message)
			case c.Type == metav1.CauseType(field.ErrorTypeForbidden): // which has no value
				words = append(words, c.Field+": "+c.Message)
			default:
				words = append(words, c.Field)
			}
		}
		says = strings.Join(words, "; ")
	}
	data, _, _ := unstructured.NestedStringMap(want, "data")
	var values []string
	for _, encoded := range data {
		raw, _ := base64.StdEncoding.DecodeString(encoded)
		values = append(values, encoded, string(raw))
	}
	// The longest first, so that a value within another leaves nothing of that.
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, value := range values {
		if value != "" {
			says = strings.ReplaceAll(says, value, "…")
		}
	}
	return says
}
