#!/usr/bin/env bash
# Prints the folder with etcd, kube-apiserver and kubectl for the tests against a real API server. KUBEBUILDER_ASSETS names
# it; otherwise the three are built once from Go modules into the user's cache.
set -euo pipefail
if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
  echo "$KUBEBUILDER_ASSETS"
  exit
fi
tools=$(cd "$(dirname "$0")/cluster/tools" && pwd)
bin=${CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bare-kubernetes}/bin
mkdir -p "$bin"
export CGO_ENABLED=0 GOFLAGS=-buildvcs=false

# stale NAME MODULE: whether the cached program is missing or of another version of the module that it is built from.
stale() {
  local built
  built=$(go version -m "$bin/$1" 2>/dev/null | awk -v m="$2" '($1 == "mod" || $1 == "dep") && $2 == m {print $3; exit}')
  [[ -z $built || $built != "$(go list -m -f '{{.Version}}' "$2")" ]]
}

# Two packages' tests may start at once.
exec 9>"$bin/.lock"
flock 9

cd "$tools/etcd"
if stale etcd go.etcd.io/etcd/server/v3; then
  go build -trimpath -ldflags '-s -w' -o "$bin/etcd" go.etcd.io/etcd/server/v3 >&2
fi
cd "$tools/k8s"
if stale kube-apiserver k8s.io/kubernetes || stale kubectl k8s.io/kubernetes; then
  version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
  flags="-s -w"
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$(cut -d. -f2 <<<"$version")"
    flags+=" -X $package.gitTreeState=clean -X $package.gitCommit=0000000000000000000000000000000000000000"
  done
  go build -trimpath -tags grpcnotrace,notest -ldflags "$flags" -o "$bin/" \
    k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl >&2
fi
echo "$bin"
