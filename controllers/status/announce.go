package status

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/postback-dev/postback-operator/api/v1alpha1"
)

// Announce tells in events that Ready came or went, with its cause, of a weak key, of an offer that gets no subid, and
// of acknowledged postbacks that are missing; not of every step on the way, to which it belongs that what is new has no
// receiver yet.
func Announce(recorder events.EventRecorder, object runtime.Object, before, after []metav1.Condition) {
	was := meta.IsStatusConditionTrue(before, v1alpha1.ConditionReady)
	for _, condition := range Changed(before, after) {
		kind := corev1.EventTypeWarning
		switch {
		case condition.Reason == v1alpha1.ReasonKeyWeak, condition.Reason == v1alpha1.ReasonOfferWithoutSubid,
			condition.Type == v1alpha1.ConditionAcknowledgedMissing:
		case condition.Type != v1alpha1.ConditionReady,
			condition.Reason == v1alpha1.ReasonProgressing, condition.Reason == v1alpha1.ReasonPropagating,
			condition.Reason == v1alpha1.ReasonUnavailable && !was:
			continue
		case condition.Status == metav1.ConditionTrue:
			kind = corev1.EventTypeNormal
		}
		recorder.Eventf(object, nil, kind, condition.Reason, condition.Type, "%s", condition.Message)
	}
}
