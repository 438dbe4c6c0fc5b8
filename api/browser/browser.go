// Package browser holds the scripts that pages load from a receiver, with their integrity hashes: the receiver serves
// them, the operator writes the tags that load them. It imports the standard library only.
package browser

import (
	"crypto/sha256"
	"crypto/sha512"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"slices"
)

// Paths of the scripts on a receiver's public port.
const (
	ScriptPath  = "/js/k.min.js"
	AdapterPath = "/js/adapter.js"
)

var (
	//go:embed k.min.js
	scriptSource []byte
	//go:embed adapter.js
	adapterSource []byte
	// fillSource has what both scripts do with links and forms.
	//go:embed fill.js
	fillSource []byte

	script  = assemble(scriptSource)
	adapter = assemble(adapterSource)
)

// assemble returns what is served: functions and variables of a script are not visible to the page.
func assemble(source []byte) []byte {
	const opening = "(function (window, document) {\n  \"use strict\";\n"
	return slices.Concat([]byte(opening), fillSource, source, []byte("})(window, document);\n"))
}

// Script returns the tracking script (docs/semantics.md §8), for reading only.
func Script() []byte { return script }

// Adapter returns the script that puts the subid into links and forms, for reading only.
func Adapter() []byte { return adapter }

// ScriptIntegrity returns the value of the attribute integrity of a tag that loads [Script].
func ScriptIntegrity() string { return integrity(script) }

// AdapterIntegrity returns the value of the attribute integrity of a tag that loads [Adapter].
func AdapterIntegrity() string { return integrity(adapter) }

// Version names the content of a script, in the parameter `v` of its address: what is asked for by its version may be
// kept without a limit. 16 lower-case hex digits.
func Version(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

func integrity(content []byte) string {
	sum := sha512.Sum384(content)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}
