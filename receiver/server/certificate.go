package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how often the files of a certificate are looked at, at most.
const lookEvery = 10 * time.Second

// Certificate is a TLS certificate whose files may be replaced while it is in use, as cert-manager and the kubelet do.
type Certificate struct {
	certFile, keyFile string
	clock             func() time.Time
	logger            *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   [2]time.Time
	looked  time.Time
}

// LoadCertificate reads the PEM files; a pair that does not work is an error.
func LoadCertificate(certFile, keyFile string, clock func() time.Time, logger *slog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, clock: clock, logger: logger, looked: clock()}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// Get returns the newest certificate that works. It is a [tls.Config.GetCertificate].
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.clock(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		if err := c.load(); err != nil {
			c.logger.Error("Keeping the last good TLS certificate", "error", err)
		}
	}
	return c.current, nil
}

// load reads the files if either has changed. Stamps are taken first: a file replaced meanwhile is read again next
// time.
func (c *Certificate) load() error {
	var stamp [2]time.Time
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("TLS certificate: %w", err)
		}
		stamp[i] = info.ModTime()
	}
	if c.current != nil && stamp == c.stamp {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("TLS certificate %s: %w", c.certFile, err)
	}
	c.current, c.stamp = &pair, stamp
	return nil
}
