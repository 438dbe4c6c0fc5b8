#!/usr/bin/env bash
# Checks that generated files are up to date, that everything is formatted, that go vet has no complaint, and that nothing that
# the programs call is known to be vulnerable.
set -euo pipefail
cd "$(dirname "$0")/.."

generated=(api/v1alpha1/zz_generated.deepcopy.go api/v1alpha1/applyconfiguration config/crd/bases config/rbac/role.yaml
  charts/postback-operator/files docs/endpoint.md docs/campaign.md docs/presets.md)
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
cp -r --parents "${generated[@]}" "$before"
hack/generate.sh
hack/manifests.sh
for path in "${generated[@]}"; do
  diff -r "$before/$path" "$path" || { echo "$path was out of date: commit what make generate manifests wrote" >&2; exit 1; }
done

unformatted=$(gofmt -l $(git ls-files '*.go'))
if [[ -n $unformatted ]]; then
  echo "not formatted:" >&2
  echo "$unformatted" >&2
  exit 1
fi
go vet -tags e2e ./...
go run ./hack/vulncheck
