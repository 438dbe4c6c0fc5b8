#!/usr/bin/env bash
# Generates deep copies and apply configurations of api/v1alpha1, and the tables of docs/endpoint.md,
# docs/campaign.md and docs/presets.md.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=(go tool -modfile=hack/tools/go.mod controller-gen)
"${tool[@]}" object paths=./api/v1alpha1
"${tool[@]}" applyconfiguration paths=./api/v1alpha1
go run ./hack/fieldtables
go run ./hack/presets
