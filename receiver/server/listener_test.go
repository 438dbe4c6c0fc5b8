package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/conversion"
	"github.com/postback-dev/postback-operator/receiver/ledger"
)

const sale = "/" + key + "/postback?subid=c1&status=sale"

func TestHTTP2IsSpokenWithoutTLS(t *testing.T) {
	h := newHarness(t)
	url, _ := h.serve(t, nil)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	defer transport.CloseIdleConnections()
	if got := exchange(t, &http.Client{Transport: transport}, "GET", url+sale, "", ""); got.status != 200 ||
		got.body != "Success" {
		t.Errorf("%+v", got)
	}
	long := exchange(t, &http.Client{Transport: transport}, "GET", url+sale+"&a="+strings.Repeat("x", 16<<10), "", "")
	if long.status != http.StatusRequestURITooLong {
		t.Errorf("a long URL: %d", long.status)
	}
}

func TestHTTP2WithoutTLSIsOffUnlessAskedFor(t *testing.T) {
	h := newHarness(t)
	listener, err := Listen(t.Context(), ListenerOptions{Address: "127.0.0.1:0", Handler: h, Logger: h.Logger})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- listener.Serve() }()
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+listener.Address()+sale, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := transport.RoundTrip(req); err == nil {
		_ = resp.Body.Close()
		t.Errorf("answered %s by %s", resp.Status, resp.Proto)
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	<-served
}

func TestTheClickIntakeHasItsPath(t *testing.T) {
	h := newHarness(t)
	url, _ := h.serve(t, nil)
	if got := exchange(t, http.DefaultClient, "POST", url+ClicksPath, "", "{}"); got.status != http.StatusTeapot ||
		got.header.Get("X-Request-Id") == "" {
		t.Errorf("%+v", got)
	}
}

func TestDrainingSendsConnectionsAway(t *testing.T) {
	h := newHarness(t)
	h.drain = true
	url, _ := h.serve(t, nil)
	if got := exchange(t, http.DefaultClient, "GET", url+sale, "", ""); got.status != 200 || !got.last {
		t.Errorf("%+v", got)
	}
}

func TestShutdownFinishesWhatIsUnderWay(t *testing.T) {
	h := newHarness(t)
	begun, commit := make(chan struct{}), make(chan struct{})
	h.book.postback = func(context.Context, ledger.Postback) (ledger.Result, error) {
		close(begun)
		<-commit
		return ledger.Result{Outcome: conversion.Recorded}, nil
	}
	url, listener := h.serve(t, nil)
	answered := make(chan answer, 1)
	go func() { answered <- exchange(t, http.DefaultClient, "GET", url+sale, "", "") }()
	<-begun

	late, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- listener.Shutdown(late) }()
	close(commit)
	if got := <-answered; got.status != 200 || got.body != "Success" {
		t.Errorf("%+v", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	cancel()
}

func TestAPortInUseIsOneClearError(t *testing.T) {
	h := newHarness(t)
	_, listener := h.serve(t, nil)
	_, err := Listen(t.Context(), ListenerOptions{Address: listener.Address(), Handler: h, Logger: h.Logger})
	if err == nil || !strings.Contains(err.Error(), "address already in use") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
}

func TestTheServersOwnLogLosesWhateverCouldBeAPath(t *testing.T) {
	log := &logBuffer{}
	for _, line := range []string{
		"http: odd request GET /" + key + "/postback?payout=1 from 192.0.2.1\n",
		"http: panic serving 192.0.2.1:1: boom\ngoroutine 1 [running]:\n" + key,
		"http: Accept error: too many open files; retrying in 5ms\n",
	} {
		if n, err := (errorLog{slog.New(slog.NewTextHandler(log, nil))}).Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	if strings.Contains(log.String(), key) || strings.Count(log.String(), "http: ") != 3 ||
		!strings.Contains(log.String(), "too many open files") {
		t.Error(log)
	}
}

func TestAReplacedCertificateIsServed(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	writePair(t, certFile, keyFile, 1)
	clock, log := noon, &logBuffer{}
	certificate, err := LoadCertificate(certFile, keyFile, func() time.Time { return clock },
		slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	h := newHarness(t)
	url, _ := h.serve(t, certificate)
	serial := func() int64 {
		dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("serial %d at first", got)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	if got := exchange(t, &http.Client{Transport: transport}, "GET", url+sale, "", ""); got.body != "Success" {
		t.Errorf("over TLS: %+v", got)
	}
	writePair(t, certFile, keyFile, 2)
	clock = clock.Add(lookEvery)
	if got := serial(); got != 2 {
		t.Errorf("serial %d after the replacement", got)
	}
	if err := os.WriteFile(certFile, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(lookEvery)
	if got := serial(); got != 2 || !strings.Contains(log.String(), "Keeping the last good TLS certificate") {
		t.Errorf("serial %d after garbage, log %s", got, log)
	}
}

func TestACertificateThatDoesNotWorkIsAnError(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	if _, err := LoadCertificate(certFile, keyFile, time.Now, nil); err == nil {
		t.Error("missing files are no error")
	}
	writePair(t, certFile, filepath.Join(dir, "other.key"), 1)
	writePair(t, filepath.Join(dir, "other.crt"), keyFile, 2)
	if _, err := LoadCertificate(certFile, keyFile, time.Now, nil); err == nil {
		t.Error("a key of another certificate is no error")
	}
}

// written makes each pair of files newer than the one before, however coarse the file system's times are.
var written = time.Now()

func writePair(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	written = written.Add(time.Second)
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert},
		keyFile: {Type: "EC PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, written, written); err != nil {
			t.Fatal(err)
		}
	}
}
