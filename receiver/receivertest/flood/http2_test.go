package flood

import (
	"bytes"
	"context"
	"net"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// attacker is one connection of HTTP/2 without TLS that heeds no limit of the receiver's.
type attacker struct {
	net.Conn
	framer *http2.Framer
	stream uint32
	header bytes.Buffer
}

func newAttacker(ctx context.Context, from, to string) (*attacker, error) {
	conn, err := dialFrom(ctx, from, to)
	if err != nil {
		return nil, err
	}
	a := &attacker{Conn: conn, framer: http2.NewFramer(conn, conn), stream: 1}
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		return nil, err
	}
	return a, a.framer.WriteSettings()
}

// open begins a request on a stream of its own.
func (a *attacker) open(method, path string, end bool) error {
	a.header.Reset()
	encoder := hpack.NewEncoder(&a.header)
	for _, field := range []hpack.HeaderField{
		{Name: ":method", Value: method}, {Name: ":scheme", Value: "http"}, {Name: ":authority", Value: "flood"},
		{Name: ":path", Value: path},
	} {
		if err := encoder.WriteField(field); err != nil {
			return err
		}
	}
	err := a.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: a.stream, BlockFragment: a.header.Bytes(), EndStream: end, EndHeaders: true,
	})
	a.stream += 2
	return err
}

// drain reads until the connection ends, and reports each stream that ends.
func (a *attacker) drain(ended func()) {
	for {
		frame, err := a.framer.ReadFrame()
		if err != nil {
			return
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = a.framer.WriteSettingsAck()
			}
		case *http2.RSTStreamFrame:
			ended()
		default:
			if frame.Header().Flags.Has(http2.FlagDataEndStream) {
				ended()
			}
		}
	}
}

// TestStreams: 20 connections, each with 240 visits at a time, over and over.
func TestStreams(t *testing.T) {
	s := newSiege(t, "--h2c")
	s.besiege(20, func(ctx context.Context, i int) {
		for ctx.Err() == nil {
			s.streams(ctx, source(i), 240)
		}
	})
	s.lives()
}

// streams sends visits on one connection and returns when each stream has ended, or the connection.
func (s *siege) streams(ctx context.Context, from string, n int) {
	a, err := newAttacker(ctx, from, s.Addr)
	if err != nil {
		return
	}
	defer func() { _ = a.Close() }()
	over, left := make(chan struct{}), n
	go func() {
		defer close(over)
		a.drain(func() {
			if left--; left == 0 {
				_ = a.Close()
			}
		})
	}()
	for range n {
		if a.open("GET", visitPath, true) != nil {
			break
		}
	}
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// TestStreamsWhoseBodiesAreHeld: 25 connections, each with 250 POSTs whose bodies do not end, as visits and as
// postbacks.
func TestStreamsWhoseBodiesAreHeld(t *testing.T) {
	s := newSiege(t, "--h2c")
	s.besiege(25, func(ctx context.Context, i int) {
		for ctx.Err() == nil {
			s.hold(ctx, source(i), []string{visitPath, "/" + floodedKey + "/postback"}[i%2], 250)
		}
	})
	s.lives()
}

// hold opens streams and sends the beginning of their bodies.
func (s *siege) hold(ctx context.Context, from, path string, n int) {
	a, err := newAttacker(ctx, from, s.Addr)
	if err != nil {
		return
	}
	defer func() { _ = a.Close() }()
	over := make(chan struct{})
	go func() {
		defer close(over)
		a.drain(func() {})
	}()
	go func() {
		body := make([]byte, 16<<10)
		for range n {
			stream := a.stream
			if a.open("POST", path, false) != nil || a.framer.WriteData(stream, false, body) != nil {
				return
			}
		}
	}()
	select {
	case <-over:
	case <-ctx.Done():
	}
}
