#!/usr/bin/env bash
# up.sh: brings up a real Kubernetes on this machine, without Docker and without a registry. It takes root. Programs that are
# not in the cache are built first.
#   NODES=3    nodes, each in namespaces of its own; the first has the control plane too
#   METRICS=1  with metrics-server, which a HorizontalPodAutoscaler needs
set -euo pipefail
. "$(dirname "$0")/settings.sh"
NODES=${NODES:-1} METRICS=${METRICS:-0}
say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }
((EUID == 0)) || { echo "up.sh makes network namespaces and mounts: run it as root" >&2; exit 1; }
howto() { printf '\n    export KUBECONFIG=%s PATH=%s:$PATH\n' "$kubeconfig" "$bin"; }
if is_up; then
  echo "The cluster is up already. To use it:"
  howto
  exit
fi
[[ ! -e $state/running ]] || "$cluster/down.sh" >/dev/null # what is left of one that was not taken down

groups=(etcd kubernetes runtime cni dns pause)
((METRICS == 0)) || groups+=(metrics)
"$cluster/build.sh" "${groups[@]}"
say "programs are built"

rm -rf "$state"
mkdir -p "$state/images"
cp "$cache"/images/pause-*.tar "$state/images/"
printf '%s\n' "nodes=$NODES" "metrics=$METRICS" >"$state/running"
# What kubelet changes for the whole machine; down.sh puts it back.
for key in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  echo "$key $(cat "/proc/sys/$key")"
done >"$state/sysctls"
"$cluster/pki.sh" "$NODES"

ip link add "$bridge" type bridge
ip addr add "$net.1/24" dev "$bridge"
ip link set "$bridge" up
for n in $(seq "$NODES"); do
  node=pbk-node$n
  ip netns add "$node"
  ip link add "pbkv$n" type veth peer name eth0 netns "$node"
  ip link set "pbkv$n" master "$bridge" up
  ip -n "$node" link set lo up
  ip -n "$node" addr add "$net.$((10 + n))/24" dev eth0
  ip -n "$node" link set eth0 up
  for other in $(seq "$NODES"); do
    ((other == n)) || ip -n "$node" route add "$pods.$other.0/24" via "$net.$((10 + other))"
  done
  # What the node itself sends to a Service needs a route before its address is translated.
  ip -n "$node" route add "$services.0.0/16" dev eth0 src "$net.$((10 + n))"
  ip route add "$pods.$n.0/24" via "$net.$((10 + n))"
done
ip route add "$services.0.0/16" via "$net.11"
for n in $(seq "$NODES"); do start_node "$n"; done

export KUBECONFIG=$kubeconfig PATH=$bin:$PATH
wait_for 120 kubectl get --raw=/readyz
wait_for 30 kubectl get namespace kube-system
say "the API server answers"
# volume NODE NUMBER: a folder of the node as a PersistentVolume.
volume() {
  local folder=$state/node$1/volumes/$2
  mkdir -p "$folder"
  cat <<YAML
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: node$1-$2}
spec:
  capacity: {storage: 20Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: local
  persistentVolumeReclaimPolicy: Retain
  local: {path: "$folder"}
  nodeAffinity:
    required:
      nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node$1]}]}]
YAML
}

manifests=("$cluster"/manifests/{dns,storage}.yaml)
((METRICS == 0)) || manifests+=("$cluster/manifests/metrics-server.yaml")
{
  for manifest in "${manifests[@]}"; do
    echo ---
    cat "$manifest"
  done
  for n in $(seq "$NODES"); do
    for number in $(seq 8); do volume "$n" "$number"; done
  done
} | kubectl apply -f - >/dev/null
for n in $(seq "$NODES"); do wait_for 60 kubectl get node "node$n"; done
kubectl wait --for=condition=Ready node --all --timeout=90s >/dev/null
wait_for 30 kubectl -n default get serviceaccount default
# As long as one kind of API is away no namespace can be deleted.
((METRICS == 0)) || kubectl wait --for=condition=Available apiservice/v1beta1.metrics.k8s.io --timeout=90s >/dev/null
say "$NODES node(s) ready. To use them:"
howto
