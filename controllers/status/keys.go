package status

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
	"github.com/postback-dev/postback-operator/controllers/rotation"
)

// maxKeys is the API's bound on the list.
const maxKeys = 64

// Keys describes the credentials of one purpose without giving anything away about them, sorted by id.
func Keys(entries []rotation.Entry) []v1alpha1.KeyStatus {
	var described []v1alpha1.KeyStatus
	for _, e := range entries {
		key := v1alpha1.KeyStatus{ID: e.ID, State: v1alpha1.KeyActive, Since: metav1.NewTime(e.Since)}
		if e.RetireAt != nil {
			at := metav1.NewTime(*e.RetireAt)
			key.State, key.RetireAt = v1alpha1.KeyRetiring, &at
		}
		if e.Revoked {
			key.State = v1alpha1.KeyRevoked
		}
		described = append(described, key)
	}
	slices.SortStableFunc(described, func(a, b v1alpha1.KeyStatus) int { return strings.Compare(a.ID, b.ID) })
	return described[:min(len(described), maxKeys)]
}
