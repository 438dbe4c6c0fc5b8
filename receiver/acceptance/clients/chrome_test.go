package clients

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/postback-dev/postback-operator/receiver/receivertest/debian"
)

// browser is a running Chromium that finds a stage under its names.
type browser struct {
	*stage
	ctx context.Context
}

// tab is one scenario's tab. The browser knows no cookie when it is opened.
type tab struct {
	*browser
	*testing.T
	ctx context.Context
}

// Settings of a profile, as Chromium keeps them: whether it blocks the cookies of other sites than the page's.
const (
	allCookies = `{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}`
	ownCookies = `{"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": true}}`
)

// open starts Chromium with a new profile of those settings.
func (s *stage) open(t *testing.T, settings string) *browser {
	t.Helper()
	program, err := debian.Program(t.Context(), "chromium", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(profile, "Default"), 0o700),
		os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(settings), 0o600)); err != nil {
		t.Fatal(err)
	}
	// Its helpers may still write while it ends.
	t.Cleanup(func() {
		for range 50 {
			if os.RemoveAll(profile) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.UserDataDir(profile),
		chromedp.Flag("host-resolver-rules", fmt.Sprintf("MAP tracker.test:443 %s, MAP shop.test:443 %s, MAP evil.test:443 %s", s.receiver, s.shop, s.shop)),
	}
	for _, flag := range []string{
		"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "disable-dev-shm-usage", "no-proxy-server", "ignore-certificate-errors",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	return &browser{stage: s, ctx: ctx}
}

func (b *browser) tab(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	// The tab lives as long as the context of what is done first.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	tb := &tab{browser: b, T: t, ctx: ctx}
	tb.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, network.ClearBrowserCookies, cdp.Empty{})
		return chromedp.Void{}, err
	})
	return tb
}

func (tb *tab) do(action chromedp.Action[chromedp.Void]) {
	tb.Helper()
	ctx, cancel := tb.bounded()
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		tb.Fatal(err)
	}
}

// bounded ends an action that hangs.
func (tb *tab) bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(tb.ctx, patience)
}

// visit opens an address; of a path the shop's.
func (tb *tab) visit(address string) {
	tb.Helper()
	if strings.HasPrefix(address, "/") {
		address = shop + address
	}
	tb.do(chromedp.Navigate(address))
}

// click clicks on what the selector finds, and waits for the page it leads to.
func (tb *tab) click(selector, title string) {
	tb.Helper()
	tb.do(chromedp.Click(selector))
	tb.await(title)
}

// await waits until the page's title begins with a text: pages say there what happened. It returns the title.
func (tb *tab) await(title string) string {
	tb.Helper()
	var now string
	eventually(tb.T, "the page says "+title, func() bool {
		ctx, cancel := tb.bounded()
		defer cancel()
		var err error
		now, err = chromedp.Run(ctx, chromedp.Title())
		return err == nil && strings.HasPrefix(now, title) // A page that is being left has no title.
	})
	return now
}

// text returns what a JavaScript expression gives.
func (tb *tab) text(expression string) string {
	tb.Helper()
	ctx, cancel := tb.bounded()
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		tb.Fatalf("%s: %v", expression, err)
	}
	return result
}
