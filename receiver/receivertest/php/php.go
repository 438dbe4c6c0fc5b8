// Package php serves pages by real PHP in tests (docs/clients.md). It is installed where a Debian machine lacks it.
package php

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/postback-dev/postback-operator/receiver/receivertest/debian"
)

// patience is for the start, on the slowest of machines.
const patience = 60 * time.Second

// Serve serves the pages of a directory until the test is over, and returns their address, without a slash at its end.
// environment is more of it, as `NAME=value`. PHP's warnings and errors are in the test's log and in the pages.
func Serve(t *testing.T, pages string, environment ...string) string {
	t.Helper()
	program, err := debian.Program(t.Context(), "php", "php-cli")
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	command := exec.CommandContext(t.Context(), program, "-d", "session.save_path="+t.TempDir(), "-d", "display_errors=1",
		"-S", address, "-t", pages)
	command.Env = append(os.Environ(), environment...)
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if strings.Contains(lines.Text(), "PHP ") { // warnings and errors
				t.Log(lines.Text())
			}
		}
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-read
		_ = command.Wait()
	})
	awaitConnection(t, address)
	return "http://" + address
}

func awaitConnection(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if connection, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = connection.Close()
			return
		}
	}
	t.Fatalf("PHP does not serve after %s", patience)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
