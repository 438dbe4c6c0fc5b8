package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/postback-dev/postback-operator/controllers/resources"
)

// progressDeadline is how long a pod of a StatefulSet may take to get ready before that counts as stuck. A Deployment
// has a deadline of its own, which is as long unless the cluster changes it.
const progressDeadline = 10 * time.Minute

// maxTrouble bounds what is repeated of a kubelet's or a scheduler's message, in bytes.
const maxTrouble = 512

// trouble is why receivers do not come up.
type trouble struct {
	// says is the worst of it in one sentence; empty when nothing is known. It has no name of a pod: that is random, and
	// the status would change with each pod.
	says string
	// stuck: nothing has moved for so long that waiting won't help.
	stuck bool
	// again is when stuck may become true by time alone; zero for never.
	again time.Time
}

// troubleOf finds what keeps pods from being ready. conditions are those of the Deployment, none of a StatefulSet.
func troubleOf(pods []corev1.Pod, conditions []appsv1.DeploymentCondition, fleet string, now time.Time) trouble {
	var t trouble
	var found []symptom
	for i := range pods {
		if _, ready := receiverOf(&pods[i]); ready {
			continue
		}
		found = append(found, symptomsOf(&pods[i], fleet)...)
		if deadline := pods[i].CreationTimestamp.Add(progressDeadline); len(conditions) == 0 &&
			!pods[i].CreationTimestamp.IsZero() {
			t.stuck = t.stuck || !now.Before(deadline)
			if t.again.IsZero() || deadline.Before(t.again) {
				t.again = deadline
			}
		}
	}
	for _, c := range conditions {
		switch {
		case c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue:
			found = append(found, symptom{1, c.Reason + ": " + short(c.Message)})
		case c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse:
			t.stuck = true
		}
	}
	if t.stuck {
		t.again = time.Time{}
	}
	if len(found) > 0 {
		t.says = slices.MinFunc(found, func(a, b symptom) int {
			return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.says, b.says))
		}).says
	}
	return t
}

// symptom is one thing that is wrong with a pod; the lowest rank is the worst.
type symptom struct {
	rank int
	says string
}

func symptomsOf(pod *corev1.Pod, fleet string) []symptom {
	var found []symptom
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			found = append(found, symptom{2, c.Reason + ": " + short(c.Message)})
		}
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if rank, says := containerSymptom(&c, fleet); says != "" {
			found = append(found, symptom{rank, "container " + c.Name + ": " + says})
		}
	}
	return found
}

func containerSymptom(c *corev1.ContainerStatus, fleet string) (rank int, says string) {
	logs := "kubectl logs -l " + resources.FleetSelector(fleet) + " -c " + c.Name + " --previous says why"
	ended := c.LastTerminationState.Terminated
	switch waiting := c.State.Waiting; {
	case waiting == nil && c.State.Terminated != nil && c.State.Terminated.ExitCode != 0:
		return 0, exit(c.State.Terminated) + ": " + logs
	case waiting == nil && c.State.Running != nil && !c.Ready:
		return 4, "it runs and is not ready yet"
	case waiting == nil:
		return 0, ""
	case waiting.Reason == "CrashLoopBackOff" && ended != nil:
		return 0, waiting.Reason + ", " + exit(ended) + ": " + logs
	case waiting.Reason == "CrashLoopBackOff":
		return 0, waiting.Reason + ": " + logs
	case waiting.Reason == "ErrImagePull" || waiting.Reason == "ImagePullBackOff":
		// The two alternate, and one repeats the other.
		message := waiting.Message
		if _, cause, found := strings.Cut(message, "ErrImagePull: "); found {
			message = cause
		}
		return 0, "ImagePullBackOff: " + short(message)
	case waiting.Reason == "ContainerCreating" || waiting.Reason == "PodInitializing":
		return 5, ""
	}
	return 0, c.State.Waiting.Reason + ": " + short(c.State.Waiting.Message)
}

// exit leaves out the message with which a container ended: it is the program's, and may be anything.
func exit(ended *corev1.ContainerStateTerminated) string {
	return fmt.Sprintf("ended with exit code %d (%s)", ended.ExitCode, ended.Reason)
}

func short(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if len(message) > maxTrouble {
		message = strings.ToValidUTF8(message[:maxTrouble], "") + "…"
	}
	return message
}
