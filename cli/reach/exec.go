package reach

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
)

// maxSaid bounds what a program in a pod may say on its stderr, in bytes.
const maxSaid = 4 << 10

// Exec runs a program in a container of a pod and copies what it prints. If the program fails, its stderr is the error.
func (c *Cluster) Exec(ctx context.Context, pod corev1.Pod, container string, command []string, out io.Writer) error {
	target := c.Core.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).
		SubResource("exec").VersionedParams(&corev1.PodExecOptions{
		Container: container, Command: command, Stdout: true, Stderr: true,
	}, scheme.ParameterCodec).URL()
	spdy, err := remotecommand.NewSPDYExecutor(c.config, "POST", target)
	if err != nil {
		return err
	}
	websocket, err := remotecommand.NewWebSocketExecutor(c.config, "GET", target.String())
	if err != nil {
		return err
	}
	executor, err := remotecommand.NewFallbackExecutor(websocket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return err
	}
	said := &head{}
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: out, Stderr: said})
	text := oneLine(said.String())
	switch {
	case err == nil || ctx.Err() != nil:
		return errors.Join(err, ctx.Err())
	// A refusal of an upgrade has lost its type on the way: only its words are left.
	case strings.Contains(err.Error(), "forbidden"):
		return plainly(apierrors.NewForbidden(corev1.Resource("pods/exec"), pod.Name, err),
			"you may not use pods/exec %s/%s in context %q: ask for the role postback-operator-owner", pod.Namespace, pod.Name,
			c.Context)
	case text != "":
		return plainly(err, "the pod %s/%s says: %s", pod.Namespace, pod.Name, text)
	}
	return fmt.Errorf("running %s in the pod %s/%s: %w", command[0], pod.Namespace, pod.Name, err)
}

// head keeps the beginning of what is written.
type head struct{ bytes.Buffer }

func (h *head) Write(text []byte) (int, error) {
	if room := maxSaid - h.Len(); room > 0 {
		_, _ = h.Buffer.Write(text[:min(room, len(text))])
	}
	return len(text), nil
}

// OneReady returns the first pod of a fleet that is ready.
func (c *Cluster) OneReady(ctx context.Context, endpoint string) (corev1.Pod, error) {
	declared, err := c.Endpoint(ctx, endpoint)
	if err != nil {
		return corev1.Pod{}, err
	}
	fleet := FleetOf(declared)
	pods, err := c.Pods(ctx, fleet)
	if err != nil {
		return corev1.Pod{}, err
	}
	serving := ready(pods)
	if len(serving) == 0 {
		return corev1.Pod{}, noneReady(fleet, pods)
	}
	return serving[0], nil
}
