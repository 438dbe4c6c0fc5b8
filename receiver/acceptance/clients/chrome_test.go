package clients

import (
	"strings"
	"testing"

	"github.com/postback-dev/postback-operator/receiver/receivertest/chromium"
)

// browser is a running Chromium that finds a stage under its names.
type browser struct {
	*stage
	*chromium.Browser
}

// tab is one scenario's tab.
type tab struct {
	*browser
	*chromium.Tab
}

// open starts Chromium with a new profile of those settings.
func (s *stage) open(t *testing.T, settings string) *browser {
	t.Helper()
	return &browser{s, chromium.Open(t, settings, map[string]string{
		"tracker.test:443": s.receiver, "shop.test:443": s.shop, "evil.test:443": s.shop,
	})}
}

func (b *browser) tab(t *testing.T) *tab {
	t.Helper()
	return &tab{b, b.Tab(t)}
}

// visit opens an address; of a path the shop's.
func (tb *tab) visit(address string) {
	tb.Helper()
	if strings.HasPrefix(address, "/") {
		address = shop + address
	}
	tb.Visit(address)
}
