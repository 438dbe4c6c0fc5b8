#!/usr/bin/env bash
# node.sh N: a node, as process 1 of namespaces that start_node made for it. Everything that it starts ends with it.
set -uo pipefail
. "$(dirname "$0")/settings.sh"
. "$state/running"
n=$1
name=node$n
address=$net.$((10 + n))
disk=$state/$name
pki=$state/pki
logs=$disk/log
export PATH=$bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$disk
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"

# start NAME COMMAND...
start() { "${@:2}" >>"$logs/$1.log" 2>&1 & }

# start_after_api NAME COMMAND...: once the API server answers.
start_after_api() {
  (
    wait_for 120 curl -sfk "https://$net.11:6443/readyz"
    exec "${@:2}"
  ) >>"$logs/$1.log" 2>&1 &
}

# Mounts of its own: the machine sees none of them, and none is left behind. /run goes with the node as it does when power fails.
mount --make-rshared /
mkdir -p "$disk"/{var-lib/{kubelet,containerd,cni},var-log,log,cni,volumes}
mount --bind "$disk/var-lib" /var/lib
mount --bind "$disk/var-log" /var/log
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/containerd /run/netns /run/lock
hostname "$name"
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
# Connections that a dead node left open bind their source ports to its pods' addresses, for two minutes by default. A client
# uses its ports again within one, and would find nobody there.
for phase in syn_sent fin_wait; do echo 10 >"/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_$phase"; done

cat >"$disk/containerd.toml" <<TOML
version = 3
imports = []
[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'overlayfs'
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = '$pause'
[plugins.'io.containerd.cri.v1.runtime']
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['$bin/cni']
    conf_dir = '$disk/cni'
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = '$bin/runc'
      SystemdCgroup = false
TOML
cat >"$disk/cni/10-bare.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "bare", "plugins": [
  {"type": "ptp", "ipMasq": false, "mtu": 1500,
   "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam", "ranges": [[{"subnet": "$pods.$n.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "backend": "nftables"}
]}
JSON
start containerd containerd -c "$disk/containerd.toml"

if ((n == 1)); then
  start etcd etcd --name=etcd --data-dir="$disk/var-lib/etcd" --unsafe-no-fsync --log-level=warn \
    --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
    --listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 \
    --initial-cluster=etcd=http://127.0.0.1:2380
  # A node that is gone is given up after 20 + 10 s, not after minutes: tests wait for it.
  start kube-apiserver kube-apiserver --advertise-address="$address" --secure-port=6443 \
    --etcd-servers=http://127.0.0.1:2379 --service-cluster-ip-range="$services.0.0/16" \
    --default-not-ready-toleration-seconds=10 --default-unreachable-toleration-seconds=10 \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --client-ca-file="$pki/ca.crt" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --kubelet-client-certificate="$pki/apiserver-kubelet.crt" --kubelet-client-key="$pki/apiserver-kubelet.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
    --requestheader-client-ca-file="$pki/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
    --requestheader-username-headers=X-Remote-User \
    --proxy-client-cert-file="$pki/front-proxy.crt" --proxy-client-key-file="$pki/front-proxy.key"
  for component in kube-controller-manager kube-scheduler; do
    config=$pki/$component.kubeconfig
    options=()
    [[ $component != kube-controller-manager ]] || options=(
      --service-account-private-key-file="$pki/sa.key" --root-ca-file="$pki/ca.crt" --use-service-account-credentials
      --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key"
      --horizontal-pod-autoscaler-sync-period=5s --node-monitor-grace-period=20s)
    start_after_api "$component" "$component" --kubeconfig="$config" --authentication-kubeconfig="$config" \
      --authorization-kubeconfig="$config" --bind-address=127.0.0.1 --leader-elect=false --kube-api-qps=500 --kube-api-burst=1000 "${options[@]}"
  done
  cat >"$disk/Corefile" <<DNS
(common) {
  bind $address
  errors
  cache 5
  loadbalance
}
cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
  import common
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig $pki/coredns.kubeconfig
    pods insecure
    ttl 5
  }
}
.:53 {
  import common
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
DNS
  start_after_api coredns coredns -conf "$disk/Corefile"
  # It ends at once while it lacks the permissions that up.sh gives it, and has to be started again.
  ((metrics == 0)) || start_after_api metrics-server bash -c 'until "$0" "$@"; do sleep 1; done' metrics-server \
    --kubeconfig="$pki/metrics-server.kubeconfig" --authentication-kubeconfig="$pki/metrics-server.kubeconfig" \
    --authorization-kubeconfig="$pki/metrics-server.kubeconfig" --bind-address="$address" --secure-port=4443 --cert-dir="$disk/metrics" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --metric-resolution=10s --kubelet-request-timeout=5s
fi

wait_for 60 ctr -n k8s.io version
for archive in "$state"/images/*.tar; do
  ctr -n k8s.io images import "$archive" >>"$logs/images.log" 2>&1
done
if [[ $(stat -fc %T /sys/fs/cgroup) == cgroup2fs ]]; then
  for folder in /sys/fs/cgroup "/sys/fs/cgroup/$parent" "/sys/fs/cgroup/$parent/$name"; do
    mkdir -p "$folder"
    for controller in cpu cpuset memory pids io hugetlb; do
      echo "+$controller" >"$folder/cgroup.subtree_control" 2>/dev/null
    done
  done
else
  for folder in /sys/fs/cgroup/*/; do mkdir -p "$folder$parent/$name"; done
fi
echo "nameserver $net.11" >"$disk/resolv.conf"
cat >"$disk/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /$parent/$name
failSwapOn: false
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
address: $address
tlsCertFile: $pki/$name-serving.crt
tlsPrivateKeyFile: $pki/$name-serving.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
clusterDomain: cluster.local
clusterDNS: [$services.0.10]
resolvConf: $disk/resolv.conf
nodeStatusUpdateFrequency: 5s
eventRecordQPS: 0
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
maxPods: 250
YAML
start kubelet kubelet --config="$disk/kubelet.yaml" --kubeconfig="$pki/$name.kubeconfig" --node-ip="$address" \
  --hostname-override="$name" --root-dir=/var/lib/kubelet
cat >"$disk/kube-proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: $pki/kube-proxy.kubeconfig}
nftables: {minSyncPeriod: 200ms}
clusterCIDR: $pods.0.0/16
hostnameOverride: $name
bindAddress: $address
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
YAML
start kube-proxy kube-proxy --config="$disk/kube-proxy.yaml"

while :; do wait -n 2>/dev/null || sleep 5; done # process 1 collects its children until it is killed
