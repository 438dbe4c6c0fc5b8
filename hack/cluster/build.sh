#!/usr/bin/env bash
# build.sh [GROUP...]: builds the programs of a Kubernetes from Go modules into the user's cache, as far as they are missing or
# of another version. Groups: etcd, apiserver (with kubectl; the tests need these two) and kubernetes, runtime, cni, dns,
# pause, metrics. Without one: all.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
(($# > 0)) || set -- etcd kubernetes runtime cni dns pause metrics
mkdir -p "$bin/cni" "$cache/images"
export CGO_ENABLED=0 GOFLAGS=-buildvcs=false

# stale PROGRAM MODULE: whether the cached program is missing or of another version of the module that it is built from.
stale() {
  local built
  built=$(go version -m "$bin/$1" 2>/dev/null | awk -v m="$2" '($1 == "mod" || $1 == "dep") && $2 == m {print $3; exit}')
  [[ -z $built || $built != "$(go list -m -f '{{.Version}}' "$2")" ]]
}

# build TOOL MODULE TAGS LDFLAGS TO PACKAGE...: the packages whose programs are stale, in one go. TO is a folder below the
# cache's, which ends with a slash, or the name of the only program.
build() {
  local tool=$1 module=$2 tags=$3 flags=$4 to=$5 package name missing=()
  shift 5
  cd "$cluster/tools/$tool"
  for package; do
    name=$to
    [[ $to != */ ]] || name+=$(basename "$package")
    ! stale "$name" "$module" || missing+=("$package")
  done
  ((${#missing[@]} > 0)) || return 0
  echo "building ${missing[*]} $(go list -m -f '{{.Version}}' "$module")" >&2
  go build -trimpath -tags "$tags" -ldflags "-s -w $flags" -o "$bin/$to" "${missing[@]}" >&2
}

kubernetes() {
  local version flags='' package
  version=$(cd "$cluster/tools/k8s" && go list -m -f '{{.Version}}' k8s.io/kubernetes)
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$(cut -d. -f2 <<<"$version")"
    flags+=" -X $package.gitTreeState=clean -X $package.gitCommit=0000000000000000000000000000000000000000"
  done
  build k8s k8s.io/kubernetes grpcnotrace,notest "$flags" ./ "${@/#/k8s.io/kubernetes/cmd/}"
}

# packages COMMAND:PACKAGE...: installs the Debian packages whose command or file is missing.
packages() {
  local pair missing=()
  for pair; do
    command -v "${pair%:*}" >/dev/null || [[ -e ${pair%:*} ]] || missing+=("${pair#*:}")
  done
  ((${#missing[@]} == 0)) && return
  command -v apt-get >/dev/null || { echo "please install: ${missing[*]}" >&2; return 1; }
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" >&2
}

# Two packages' tests may start at once.
exec 9>"$bin/.lock"
flock 9
for group; do
  case $group in
  etcd) build etcd go.etcd.io/etcd/server/v3 '' '' etcd go.etcd.io/etcd/server/v3 ;;
  apiserver) kubernetes kube-apiserver kubectl ;;
  kubernetes) kubernetes kube-apiserver kubectl kube-controller-manager kube-scheduler kubelet kube-proxy ;;
  runtime)
    # To build runc, and what nodes run beside these programs.
    packages gcc:gcc /usr/include/stdlib.h:libc6-dev pkg-config:pkg-config /usr/include/seccomp.h:libseccomp-dev \
      nft:nftables iptables:iptables ip:iproute2 unshare:util-linux openssl:openssl curl:curl
    containerd=github.com/containerd/containerd/v2
    build containerd $containerd 'no_btrfs no_devmapper no_zfs' '' ./ $containerd/cmd/{containerd,containerd-shim-runc-v2,ctr}
    CGO_ENABLED=1 build runc github.com/opencontainers/runc 'seccomp netgo osusergo' '' ./ github.com/opencontainers/runc
    ;;
  cni)
    plugins=github.com/containernetworking/plugins
    build cni $plugins '' '' cni/ $plugins/plugins/{main/ptp,main/loopback,ipam/host-local,meta/portmap}
    ;;
  dns) build coredns github.com/coredns/coredns grpcnotrace '' ./ cluster.local/tools/coredns ;;
  metrics) build metrics-server sigs.k8s.io/metrics-server grpcnotrace '' ./ sigs.k8s.io/metrics-server/cmd/metrics-server ;;
  pause)
    [[ -e $cache/images/pause-$(go env GOARCH).tar ]] ||
      (cd "$cluster/../.." && go run ./hack/image -o "$cache/images" -arch "$(go env GOARCH)" -repository "${pause%/*}" -tag "${pause#*:}" pause=./hack/cluster/pause) >&2
    ;;
  *)
    echo "build.sh: there is no group $group" >&2
    exit 2
    ;;
  esac
done
