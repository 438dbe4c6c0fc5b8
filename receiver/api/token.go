package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	read "github.com/postback-dev/postback-operator/api/read/v1alpha1"
)

// maxTokenFile bounds the token file, in bytes.
const maxTokenFile = 4 << 10

// TokenFile is the bearer token of the read API, kept in a file that may change at any time: it is read again for every
// request, so that a rotated Secret counts as soon as the kubelet has written it.
type TokenFile struct{ path string }

// OpenTokenFile returns the token kept at path. It fails when no usable token is there now. White space around it is no
// part of it.
func OpenTokenFile(path string) (*TokenFile, error) {
	t := &TokenFile{path}
	if _, err := t.Read(); err != nil {
		return nil, err
	}
	return t, nil
}

// grant returns what the presented token is good for, false if it is good for nothing. It compares in constant time,
// and digests, so that not even the ops token's length can be measured.
func (t *TokenFile) grant(presented string) (read.Grant, bool, error) {
	token, err := t.Read()
	if err != nil {
		return read.Grant{}, false, err
	}
	want, got := sha256.Sum256(token), sha256.Sum256([]byte(presented))
	if subtle.ConstantTimeCompare(want[:], got[:]) == 1 {
		return everything, true, nil
	}
	grant, ok := read.ParseToken(string(token), presented)
	return grant, ok, nil
}

// Read returns the token that the file holds now.
func (t *TokenFile) Read() ([]byte, error) {
	file, err := os.Open(t.path)
	if err != nil {
		return nil, fmt.Errorf("reading the token file: %w", err)
	}
	defer func() { _ = file.Close() }()
	token, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the token file: %w", err)
	}
	if len(token) > maxTokenFile {
		return nil, fmt.Errorf("token file is larger than %d bytes", maxTokenFile)
	}
	if token = bytes.TrimSpace(token); len(token) == 0 {
		return nil, errors.New("token file is empty")
	}
	return token, nil
}

// everything is what the ops token is good for.
var everything = read.Grant{Scopes: []read.Scope{read.ScopeRead, read.ScopeWrite}}

type grantKey struct{}

// grantOf returns what the request's token is good for. A request without one was let in for being local.
func grantOf(r *http.Request) read.Grant {
	if grant, ok := r.Context().Value(grantKey{}).(read.Grant); ok {
		return grant
	}
	return everything
}

// As returns the API for another part of this process, which has authenticated whoever asks it: with a grant of every
// endpoint and the scopes.
func As(product http.Handler, scopes ...read.Scope) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		grant := read.Grant{Scopes: scopes}
		product.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), grantKey{}, grant)))
	})
}

// changes is a resource that changes something: it wants a grant, also on loopback.
func (a *api) changes(change resource) http.Handler {
	granted := a.scoped(read.ScopeWrite, a.handle(change))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := r.Context().Value(grantKey{}).(read.Grant); !ok {
			WriteError(w, http.StatusForbidden, "this changes something, and so it needs a token: start the receiver with "+
				"--ops-token-file")
			return
		}
		granted.ServeHTTP(w, r)
	})
}

// guard lets through who presents the token or, where none is configured, who sits on the same machine.
func guard(token *TokenFile, logger *slog.Logger, next http.Handler) http.Handler {
	if token == nil {
		return LoopbackOnly(next)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, inProcess := r.Context().Value(grantKey{}).(read.Grant); inProcess {
			next.ServeHTTP(w, r)
			return
		}
		grant, ok, err := token.grant(bearer(r))
		switch {
		case err != nil:
			logger.Error("Refusing the read API", "error", err)
			WriteError(w, http.StatusServiceUnavailable, "the ops token cannot be read; see the receiver's log")
		case !ok:
			w.Header().Set("WWW-Authenticate", `Bearer realm="postback"`)
			WriteError(w, http.StatusUnauthorized, "send the ops token, or one of an endpoint: Authorization: Bearer TOKEN")
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), grantKey{}, grant)))
		}
	})
}

// bearer returns the request's bearer token, "" without one.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// LoopbackOnly judges by the peer's address, not by X-Forwarded-For, which anyone can write. The Host must be a
// loopback one as well: otherwise a web page could read the API through a name of its own that resolves to 127.0.0.1.
func LoopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopbackPeer(r.RemoteAddr) || !loopbackHost(r.Host) {
			WriteError(w, http.StatusForbidden, "this is answered on loopback only, as http://localhost or http://127.0.0.1; "+
				"with --ops-token-file the API is answered everywhere")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopbackPeer(addr string) bool {
	peer, err := netip.ParseAddrPort(addr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}
