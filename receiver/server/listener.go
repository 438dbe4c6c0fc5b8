// Package server owns the receiver's listeners: their limits, TLS and graceful stop, and the way of a postback through
// them: key, access, judgement, ledger, reply. What a postback means is package postback's, what becomes of it package
// ledger's. It imports no store engine and no metrics library; keys and queries never reach its log.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Limits of every listener.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	// answerTime is for writing a reply, beyond what the handler itself may take.
	answerTime = 30 * time.Second
)

// ListenerOptions shape a [Listener]. Address, Handler and Logger are mandatory.
type ListenerOptions struct {
	// Address is host:port; port 0 picks a free one.
	Address string
	Handler http.Handler
	Logger  *slog.Logger
	// HandlerTime bounds how long the handler may take before it begins to answer.
	HandlerTime time.Duration
	// MaxConnections that are open at a time, MaxPerSource of them from one address, or network of IPv6; 0 = no limit. At
	// a limit the longest idle connection is closed for a new one.
	MaxConnections, MaxPerSource int
	// Exempt reports whether an address may have more than MaxPerSource; nil = none may.
	Exempt func(netip.Addr) bool
	// ReservedFiles are descriptors that are kept for accepting connections when the process has no other left.
	ReservedFiles int
	// Certificate turns TLS on, and HTTP/2 for those who ask for it.
	Certificate *Certificate
	// H2C turns on HTTP/2 without TLS.
	H2C bool
}

// http2Limits bound what one connection can make the receiver hold: streams, and bodies that nobody has read yet.
var http2Limits = http.HTTP2Config{
	MaxConcurrentStreams:          32,
	MaxReceiveBufferPerConnection: 256 << 10,
	MaxReceiveBufferPerStream:     64 << 10,
	MaxReadFrameSize:              16 << 10,
	MaxDecoderHeaderTableSize:     4 << 10,
	MaxEncoderHeaderTableSize:     4 << 10,
}

// Listener is one listening port. It speaks HTTP/1.1, with TLS also HTTP/2.
type Listener struct {
	http        *http.Server
	connections *connections
	tls         bool
}

// Listen opens the port; requests are answered from [Listener.Serve] on.
func Listen(ctx context.Context, o ListenerOptions) (*Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	connections := limitConnections(listener, o)
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(o.Certificate != nil)
	protocols.SetUnencryptedHTTP2(o.H2C && o.Certificate == nil)
	http2 := http2Limits
	server := &http.Server{
		Handler:           answered(o.Handler),
		ConnState:         connections.changed,
		ConnContext:       withConnection,
		Protocols:         &protocols,
		HTTP2:             &http2,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      readTimeout + o.HandlerTime + answerTime,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(errorLog{o.Logger}, "", 0),
	}
	if o.Certificate != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: o.Certificate.Get}
	}
	return &Listener{http: server, connections: connections, tls: o.Certificate != nil}, nil
}

// Address returns the address that is listened on, with the port that was picked.
func (l *Listener) Address() string { return l.connections.Addr().String() }

// Connections returns what the connections are doing.
func (l *Listener) Connections() ConnectionStatus { return l.connections.status() }

// Serve answers requests until [Listener.Shutdown]; then, and only then, it returns nil.
func (l *Listener) Serve() error {
	var err error
	if l.tls {
		err = l.http.ServeTLS(l.connections, "", "")
	} else {
		err = l.http.Serve(l.connections)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving %s: %w", l.Address(), err)
}

// Close closes the port at once.
func (l *Listener) Close() error { return errors.Join(l.connections.Close(), l.http.Close()) }

// Shutdown closes the port and waits for the requests under way until ctx is done; then it cuts them off and returns
// ctx's error.
func (l *Listener) Shutdown(ctx context.Context) error {
	err := l.http.Shutdown(ctx)
	if err != nil {
		_ = l.http.Close()
	}
	return err
}
