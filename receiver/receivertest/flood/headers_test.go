package flood

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestHeaders: 1,200 connections with as many header fields as fit, of which the last one does not come.
func TestHeaders(t *testing.T) {
	s := newSiege(t)
	var fields strings.Builder
	for i := 0; fields.Len() < 60<<10; i++ {
		fmt.Fprintf(&fields, "%x:\r\n", i)
	}
	head := "GET " + visitPath + " HTTP/1.1\r\nHost: flood\r\n" + fields.String()
	s.besiege(1200, func(ctx context.Context, i int) {
		for ctx.Err() == nil {
			s.begin(ctx, source(i), head)
		}
	})
	s.lives()
}

// begin sends the beginning of a request and waits until the receiver closes the connection.
func (s *siege) begin(ctx context.Context, from, head string) {
	conn, err := dialFrom(ctx, from, s.Addr)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := io.WriteString(conn, head); err == nil {
		_, _ = io.Copy(io.Discard, conn)
	}
}
