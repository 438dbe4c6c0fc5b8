package fleet

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const ofShop = "kubectl logs -l app.kubernetes.io/name=postback-receiver,postback.dev/fleet=shop -c receiver " +
	"--previous says why"

// podWith returns a pod that is not ready, made an hour before start, whose receiver is in this state.
func podWith(state corev1.ContainerState, ended *corev1.ContainerStateTerminated) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(start.Add(-time.Hour))},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: "receiver", State: state, LastTerminationState: corev1.ContainerState{Terminated: ended},
		}}},
	}
}

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

func TestWhyReceiversDoNotComeUp(t *testing.T) {
	unscheduled := corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
		Message: "0/3 nodes are available:\n3 Insufficient cpu.",
	}}}}
	ready := corev1.Pod{Status: corev1.PodStatus{PodIP: "10.0.0.1", Conditions: []corev1.PodCondition{{
		Type: corev1.PodReady, Status: corev1.ConditionTrue,
	}}}}
	crashed := podWith(waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container=receiver pod=shop-x1y2z"),
		&corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled", Message: "dsn=postgres://u:p@h"})
	config := podWith(waiting("CreateContainerConfigError", `secret "db" not found`), nil)
	moves := []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue}}
	stands := []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse,
		Reason: "ProgressDeadlineExceeded"}}
	for name, c := range map[string]struct {
		pods       []corev1.Pod
		conditions []appsv1.DeploymentCondition
		says       string
		stuck      bool
	}{
		"a ready receiver has nothing":     {[]corev1.Pod{ready}, moves, "", false},
		"no pod, and nobody says anything": {nil, moves, "", false},
		"a quota": {nil, append([]appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure,
			Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "pods is forbidden: exceeded quota: few"}}, moves...),
			"FailedCreate: pods is forbidden: exceeded quota: few", false},
		"nowhere to run": {[]corev1.Pod{unscheduled}, moves,
			"Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.", false},
		"a Secret without the field": {[]corev1.Pod{config}, moves,
			`container receiver: CreateContainerConfigError: secret "db" not found`, false},
		"an image of which the kubelet says it at length": {[]corev1.Pod{podWith(waiting("ImagePullBackOff",
			`Back-off pulling image "r": ErrImagePull: not found`), nil)}, moves,
			"container receiver: ImagePullBackOff: not found", false},
		"the same image a moment later": {[]corev1.Pod{podWith(waiting("ErrImagePull", "not found"), nil)}, moves,
			"container receiver: ImagePullBackOff: not found", false},
		"a crash, without what the program says and without the name of the pod": {[]corev1.Pod{crashed}, moves,
			"container receiver: CrashLoopBackOff, ended with exit code 137 (OOMKilled): " + ofShop, false},
		"the worst of several": {[]corev1.Pod{unscheduled, config, ready}, moves,
			`container receiver: CreateContainerConfigError: secret "db" not found`, false},
		"an image that is being pulled": {[]corev1.Pod{podWith(waiting("ContainerCreating", ""), nil)}, moves, "", false},
		"the deadline of a Deployment": {[]corev1.Pod{config}, stands,
			`container receiver: CreateContainerConfigError: secret "db" not found`, true},
		"the deadline of a StatefulSet": {[]corev1.Pod{podWith(corev1.ContainerState{
			Running: &corev1.ContainerStateRunning{}}, nil)}, nil, "container receiver: it runs and is not ready yet", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := troubleOf(c.pods, c.conditions, "shop", start); got.says != c.says || got.stuck != c.stuck {
				t.Errorf("it says %q, stuck %t", got.says, got.stuck)
			}
		})
	}
}

func TestAPodOfAStatefulSetIsLookedAtAgainAtItsDeadline(t *testing.T) {
	pod := podWith(waiting("ContainerCreating", ""), nil)
	pod.CreationTimestamp = metav1.NewTime(start.Add(-time.Minute))
	if got := troubleOf([]corev1.Pod{pod}, nil, "shop", start); got.stuck || !got.again.Equal(start.Add(9*time.Minute)) {
		t.Errorf("%+v", got)
	}
}
