#!/usr/bin/env bash
# Generates the CustomResourceDefinitions into config/crd/bases.
set -euo pipefail
cd "$(dirname "$0")/.."
go tool -modfile=hack/tools/go.mod controller-gen crd paths=./api/v1alpha1 output:crd:dir=config/crd/bases
