#!/usr/bin/env bash
# e2e.sh [FLAGS OF GO TEST...]: runs the end-to-end suite on the cluster of KUBECONFIG. Without one it brings up a cluster of its
# own, of three nodes, and takes it down at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -z ${KUBECONFIG:-} ]]; then
  . hack/cluster/settings.sh
  ! is_up || { echo "a cluster is up: export KUBECONFIG=$kubeconfig PATH=$bin:\$PATH to use it, or make cluster-down" >&2; exit 1; }
  trap hack/cluster/down.sh EXIT
  NODES=3 METRICS=1 hack/cluster/up.sh
  export KUBECONFIG=$kubeconfig PATH=$bin:$PATH
fi
go test -tags e2e -count 1 -timeout 60m -v ./hack/e2e "$@"
