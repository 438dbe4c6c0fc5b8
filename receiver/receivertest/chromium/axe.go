package chromium

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// axeVersion of axe-core, which npm fetches into the cache of the machine.
const axeVersion = "4.14.1"

// axe is the text of axe-core, one file.
var axe = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "postback-axe-"+axeVersion)
	file := filepath.Join(dir, "node_modules", "axe-core", "axe.min.js")
	if _, err := os.Stat(file); err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*patience)
		defer cancel()
		install := exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts",
			"axe-core@"+axeVersion)
		if output, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("installing axe-core by npm: %w: %s", err, output)
		}
	}
	text, err := os.ReadFile(file)
	return string(text), err
})

// Accessible returns what axe-core finds wrong with the page, a line each; "" for nothing. Its rules are those of WCAG
// 2.2 AA and of good practice.
func (tb *Tab) Accessible() string {
	tb.Helper()
	text, err := axe()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Text(text + `;
		window.violations = null;
		axe.run().then((found) => {
			window.violations = found.violations.map((v) =>
				v.id + ": " + v.nodes.slice(0, 3).map((n) => n.target + " " + n.html.slice(0, 120)).join(" | ")).join("\n");
		}, (problem) => { window.violations = "axe: " + problem; });
		""`)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if tb.Text(`window.violations === null ? "running" : "done"`) == "done" {
			return tb.Text(`window.violations`)
		}
	}
	tb.Fatalf("axe-core has not ended after %s", patience)
	return ""
}
