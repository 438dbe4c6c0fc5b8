#!/usr/bin/env bash
# Runs every fuzzer of the module for the given time (default 30s each), one after another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for package in $(go list ./...); do
	for fuzzer in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "== $package $fuzzer"
		go test -run '^$' -fuzz "^$fuzzer\$" -fuzztime "${1:-30s}" "$package"
	done
done
