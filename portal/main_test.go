package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFlagsThatFitAndThoseThatDoNot(t *testing.T) {
	for args, says := range map[string]string{
		// The first two are the chart's.
		"--listen=:8080 --auth=token --host=console.example":                       "",
		"--listen=:8080 --auth=proxy --proxy-secret-file=/etc/x --host=a --host=b": "",
		"":                               "--host",
		"--host=a --auth=none":           "--auth",
		"--host=a --auth=proxy":          "--proxy-secret-file",
		"--host=a --proxy-secret-file=x": "--proxy-secret-file",
		"--host=a further":               "further",
		"--host=a --insecure":            "insecure",
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestTheSecretOfTheProxyIsNotShort(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for text, fits := range map[string]bool{"a-secret-of-the-proxy\n": true, "short\n": false, strings.Repeat(" ", 40): false} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		secret, err := options{auth: "proxy", secretFile: file}.secret()
		if (err == nil) != fits || fits && secret != strings.TrimSpace(text) {
			t.Errorf("%q: %q, %v", text, secret, err)
		}
	}
	if secret, err := (options{auth: "token"}).secret(); secret != "" || err != nil {
		t.Errorf("without a proxy: %q, %v", secret, err)
	}
}
