// Package chromium walks a real, headless Chromium over pages in tests (docs/clients.md). It is installed where a
// Debian machine lacks it.
package chromium

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/postback-dev/postback-operator/receiver/receivertest/debian"
)

// patience is for what happens a moment later, on the slowest of machines.
const patience = 60 * time.Second

// Settings of a profile, as Chromium keeps them: whether it blocks the cookies of other sites than the page's.
const (
	AllCookies = `{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}`
	OwnCookies = `{"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": true}}`
)

// Browser is a running Chromium.
type Browser struct{ ctx context.Context }

// Tab is one scenario's tab. The browser knows no cookie when it is opened. What fails in it fails the test.
type Tab struct {
	*testing.T
	ctx context.Context
}

// Open starts Chromium with a new profile of those settings, until the test is over. hosts are the hosts with their
// ports that it finds at another address, like `shop.test:443` at `127.0.0.1:40001`.
func Open(t *testing.T, settings string, hosts map[string]string) *Browser {
	t.Helper()
	program, err := debian.Program(t.Context(), "chromium", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for host, address := range hosts {
		rules = append(rules, "MAP "+host+" "+address)
	}
	slices.Sort(rules)
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.UserDataDir(newProfile(t, settings)),
		chromedp.Flag("host-resolver-rules", strings.Join(rules, ", ")),
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
	return &Browser{ctx}
}

// newProfile makes the directory of a profile, and removes it after the test.
func newProfile(t *testing.T, settings string) string {
	t.Helper()
	profile, err := os.MkdirTemp("", "chromium-")
	if err != nil {
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
	if err := errors.Join(os.Mkdir(filepath.Join(profile, "Default"), 0o700),
		os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(settings), 0o600)); err != nil {
		t.Fatal(err)
	}
	return profile
}

// Tab opens a tab and forgets all cookies.
func (b *Browser) Tab(t *testing.T) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	// The tab lives as long as the context of what is done first.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	tb := &Tab{t, ctx}
	tb.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, network.ClearBrowserCookies, cdp.Empty{})
		return chromedp.Void{}, err
	})
	return tb
}

func (tb *Tab) do(action chromedp.Action[chromedp.Void]) {
	tb.Helper()
	ctx, cancel := tb.bounded()
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		tb.Fatal(err)
	}
}

// bounded ends an action that hangs.
func (tb *Tab) bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(tb.ctx, patience)
}

// Visit opens an address.
func (tb *Tab) Visit(address string) {
	tb.Helper()
	tb.do(chromedp.Navigate(address))
}

// Click clicks on what the selector finds, and waits for the page it leads to.
func (tb *Tab) Click(selector, title string) {
	tb.Helper()
	tb.do(chromedp.Click(selector))
	tb.Await(title)
}

// Await waits until the page's title begins with a text: pages say there what happened. It returns the title.
func (tb *Tab) Await(title string) string {
	tb.Helper()
	now, err := "", error(nil)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if now, err = tb.title(); err == nil && strings.HasPrefix(now, title) { // A page that is being left has no title.
			return now
		}
	}
	tb.Fatalf("the page says %q (%v) and still not %q after %s", now, err, title, patience)
	return ""
}

func (tb *Tab) title() (string, error) {
	ctx, cancel := tb.bounded()
	defer cancel()
	return chromedp.Run(ctx, chromedp.Title())
}

// Text returns what a JavaScript expression gives.
func (tb *Tab) Text(expression string) string {
	tb.Helper()
	ctx, cancel := tb.bounded()
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		tb.Fatalf("%s: %v", expression, err)
	}
	return result
}

// Look sets the size of the window and the colour scheme, light or dark.
func (tb *Tab) Look(width, height int64, scheme string) {
	tb.Helper()
	tb.do(chromedp.EmulateViewport(width, height))
	tb.media("", scheme)
}

// Print has the page look as it is printed, until the next Look.
func (tb *Tab) Print(scheme string) {
	tb.Helper()
	tb.media("print", scheme)
}

// media sets the kind of medium, empty for the screen, and the colour scheme.
func (tb *Tab) media(kind, scheme string) {
	tb.Helper()
	tb.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media:    kind,
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return chromedp.Void{}, err
	})
}

// Picture returns what the window shows, as PNG.
func (tb *Tab) Picture() []byte {
	tb.Helper()
	ctx, cancel := tb.bounded()
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tb.Fatal(err)
	}
	return picture
}

// Press presses keys: "\t" is Tab, "\r" Enter.
func (tb *Tab) Press(keys string) {
	tb.Helper()
	tb.do(chromedp.KeyEvent(keys))
}

// WithoutScripts switches JavaScript off, for the pages that are opened from now on.
func (tb *Tab) WithoutScripts() {
	tb.Helper()
	tb.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
}
