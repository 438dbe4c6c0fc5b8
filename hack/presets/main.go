// Command presets writes the generated part of docs/presets.md.
package main

import (
	"fmt"
	"os"

	"github.com/postback-dev/postback-operator/api/presets"
	"github.com/postback-dev/postback-operator/api/presets/page"
)

const file = "docs/presets.md"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := page.Replace(string(old), presets.Builtin())
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
