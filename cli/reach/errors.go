package reach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/postback-dev/postback-operator/api/read/client"
)

// plain is an error whose text is for people; the cause stays for those who decide by it.
type plain struct {
	text  string
	cause error
}

func (p plain) Error() string { return p.text }
func (p plain) Unwrap() error { return p.cause }

func plainly(cause error, format string, args ...any) error {
	return plain{oneLine(fmt.Sprintf(format, args...)), cause}
}

// oneLine keeps a message of somebody else's to a line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// explainKubeconfig says what is wrong with the kubeconfig; nil stays nil.
func explainKubeconfig(err error) error {
	switch {
	case err == nil:
		return nil
	case clientcmd.IsEmptyConfig(err):
		return plainly(err, "no cluster is configured: set KUBECONFIG, or use --server for a receiver on this machine")
	case clientcmd.IsContextNotFound(err):
		return plainly(err, "the kubeconfig has no such context: `kubectl config get-contexts` lists them")
	}
	return plainly(err, "the kubeconfig cannot be used: %v", err)
}

// explain says what a refusal of the API server means.
func (c *Cluster) explain(err error, resource, namespace, name string) error {
	object := strings.TrimSuffix(resource+" "+namespace+"/"+name, "/")
	switch {
	case apierrors.IsNotFound(err) && resource == EndpointResource.Resource && noKind(err):
		return plainly(err, "the cluster of context %q knows no PostbackEndpoint: install the operator, or choose another "+
			"--context", c.Context)
	case apierrors.IsNotFound(err) && resource == EndpointResource.Resource:
		return plainly(err, "there is no PostbackEndpoint %s/%s in context %q: `kubectl get pbe -A` lists all", namespace,
			name, c.Context)
	case apierrors.IsNotFound(err):
		return plainly(err, "there is no %s in context %q", object, c.Context)
	case apierrors.IsForbidden(err) && resource == "secrets":
		return plainly(err, "you may not read the Secret %s/%s in context %q: ask for a Role that gets it, or for the role "+
			"postback-operator-corrector", namespace, name, c.Context)
	case apierrors.IsForbidden(err):
		return plainly(err, "you may not use %s in context %q: ask for the role postback-operator-reader, or one above it",
			object, c.Context)
	case apierrors.IsUnauthorized(err):
		return plainly(err, "the cluster of context %q does not know you: log in again", c.Context)
	case errors.Is(err, context.Canceled):
		return err
	case unreachable(err):
		return plainly(err, "the cluster of context %q does not answer: is it the right one?", c.Context)
	}
	return plainly(err, "%s: %v", object, err)
}

// noKind reports whether a 404 is about the kind, not about an object of it.
func noKind(err error) bool {
	var status *apierrors.StatusError
	return errors.As(err, &status) && (status.ErrStatus.Details == nil || status.ErrStatus.Details.Name == "")
}

func unreachable(err error) bool {
	var network net.Error
	var lookup *net.DNSError
	return errors.As(err, &network) || errors.As(err, &lookup) || errors.Is(err, syscall.ECONNREFUSED) ||
		errors.Is(err, context.DeadlineExceeded)
}

// firstOf returns the first of joined errors: one line is enough.
func firstOf(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 0 {
		return firstOf(joined.Unwrap()[0])
	}
	return err
}

// noneReady says why no pod can be asked.
func noneReady(fleet types.NamespacedName, pods []corev1.Pod) error {
	if len(pods) == 0 {
		return fmt.Errorf("the fleet %s has no pods: `kubectl describe rfl -n %s %s` says why", fleet, fleet.Namespace,
			fleet.Name)
	}
	return fmt.Errorf("none of the %d pods of the fleet %s is ready: `kubectl describe pod -n %s %s` says why", len(pods),
		fleet, fleet.Namespace, pods[0].Name)
}

// explained carries requests to a receiver and says what is wrong with what comes back.
type explained struct {
	http.RoundTripper
	where string
}

func (e explained) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := e.RoundTripper.RoundTrip(r)
	switch {
	case err == nil:
		return response, nil
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, plainly(err, "nobody listens at %s: is the receiver running, and is this its second port?", e.where)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return nil, plainly(err, "the connection to %s has ended: ask again", e.where)
	}
	return nil, plainly(err, "%s does not answer: %v", e.where, err)
}

// Explain makes the answers of receivers, and what happens on the way to them, errors for people.
func Explain(err error) error {
	var failure *client.Failure
	var said plain
	switch {
	case errors.As(err, &said):
		return said
	case !errors.As(err, &failure):
		return err
	case failure.Status == http.StatusNotFound && strings.HasPrefix(failure.Message, "404"):
		return plainly(err, "the receiver does not know this request: it is older than this program, or --server is not its "+
			"second port")
	case failure.Status == http.StatusUnauthorized:
		return plainly(err, "the receiver does not take the token: give the right one by --token-file; on a cluster it may "+
			"just have changed, ask again")
	case failure.Status == http.StatusForbidden:
		return plainly(err, "the receiver refuses: %s", failure.Message)
	case failure.Status >= http.StatusInternalServerError:
		return plainly(err, "the receiver failed: %s", failure.Message)
	}
	return plainly(err, "%s", failure.Message)
}
