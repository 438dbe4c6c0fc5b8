package reach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/postback-dev/postback-operator/api/read/client"
	"github.com/postback-dev/postback-operator/controllers/resources"
)

// tunnel is a port-forward to one pod. It listens nowhere: its connections are streams of this process, so that nobody
// else on this machine gets to the receiver through it.
type tunnel struct {
	connection httpstream.Connection
	requests   atomic.Int64
}

// open connects to a pod, by WebSocket, or by SPDY where the API server or a proxy before it cannot do that.
func (c *Cluster) open(ctx context.Context, pod corev1.Pod) (*tunnel, error) {
	target := c.Core.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).
		SubResource("portforward").URL()
	dialer, err := c.dialer(target)
	if err != nil {
		return nil, err
	}
	type dialed struct {
		connection httpstream.Connection
		err        error
	}
	done := make(chan dialed, 1)
	go func() {
		connection, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		done <- dialed{connection, err}
	}()
	select {
	case d := <-done:
		// A refusal of an upgrade has lost its type on the way: only its words are left.
		if d.err != nil && strings.Contains(d.err.Error(), " is forbidden") {
			return nil, apierrors.NewForbidden(corev1.Resource("pods/portforward"), pod.Name, d.err)
		}
		return &tunnel{connection: d.connection}, d.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *Cluster) dialer(target *url.URL) (httpstream.Dialer, error) {
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	fallback := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	websocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(target, c.config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialerForStreaming(websocket, fallback, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// receiver returns the receiver at the end of the tunnel.
func (t *tunnel) receiver(fleet string, pod corev1.Pod, token string) *Receiver {
	ops := explained{t.transport(portOf(pod, resources.OpsPortName)), "the pod " + pod.Namespace + "/" + pod.Name}
	base := "http://127.0.0.1:" + strconv.Itoa(int(portOf(pod, resources.OpsPortName)))
	return &Receiver{
		Client: client.New(base, token, ops),
		Ops:    ops,
		Public: explained{t.transport(portOf(pod, resources.HTTPPortName)), "the pod " + pod.Namespace + "/" + pod.Name},
		Base:   base,
		Token:  token,
		Fleet:  fleet,
		Pod:    pod.Name,
		close:  func() { _ = t.connection.Close() },
	}
}

// portOf returns a named port of the receiver's container.
func portOf(pod corev1.Pod, name string) int32 {
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if container.Name == resources.ContainerName && port.Name == name {
				return port.ContainerPort
			}
		}
	}
	if name == resources.OpsPortName {
		return resources.OpsPort
	}
	return 0
}

// transport carries requests to a port of the pod, whatever host they name.
func (t *tunnel) transport(port int32) http.RoundTripper {
	return &http.Transport{
		DialContext:           func(context.Context, string, string) (net.Conn, error) { return t.dial(port) },
		ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   4,
	}
}

// dial opens a connection to a port of the pod: a stream for its data, and one on which the kubelet says what is wrong.
func (t *tunnel) dial(port int32) (net.Conn, error) {
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(int(port)))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.FormatInt(t.requests.Add(1), 10))
	failures, err := t.connection.CreateStream(headers)
	if err != nil {
		return nil, fmt.Errorf("forwarding the port: %w", err)
	}
	_ = failures.Close() // nothing is written to it
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := t.connection.CreateStream(headers)
	if err != nil {
		t.connection.RemoveStreams(failures)
		return nil, fmt.Errorf("forwarding the port: %w", err)
	}
	s := &stream{Stream: data, tunnel: t, failures: failures, failed: make(chan error, 1)}
	go s.watch()
	return s, nil
}

// stream is a connection through a tunnel.
type stream struct {
	httpstream.Stream
	tunnel   *tunnel
	failures httpstream.Stream
	failed   chan error // gets one value, nil if nothing was wrong
}

// watch reads what the kubelet says, and ends the connection when that is something.
func (s *stream) watch() {
	text, err := io.ReadAll(io.LimitReader(s.failures, 4<<10))
	switch {
	case len(text) > 0:
		s.failed <- errors.New(oneLine(strings.TrimSpace(string(text))))
		_ = s.Reset()
	default:
		s.failed <- err
	}
}

// Read reads data. At the end of a stream the kubelet's own words say why.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	if err != nil && n == 0 {
		select {
		case failed := <-s.failed:
			if failed != nil {
				return 0, failed
			}
		default:
		}
	}
	return n, err
}

// Close ends both directions.
func (s *stream) Close() error {
	err := s.Reset()
	s.tunnel.connection.RemoveStreams(s.Stream, s.failures)
	return err
}

// A stream has no addresses, and no deadlines: requests end by their contexts.

func (s *stream) LocalAddr() net.Addr              { return streamAddr{} }
func (s *stream) RemoteAddr() net.Addr             { return streamAddr{} }
func (s *stream) SetDeadline(time.Time) error      { return nil }
func (s *stream) SetReadDeadline(time.Time) error  { return nil }
func (s *stream) SetWriteDeadline(time.Time) error { return nil }

type streamAddr struct{}

func (streamAddr) Network() string { return "portforward" }
func (streamAddr) String() string  { return "portforward" }
