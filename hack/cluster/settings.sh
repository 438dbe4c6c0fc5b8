# What the scripts of this folder share. Sourced, never run.
cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Programs, and the state of the cluster that runs: outside any checkout, so that a fresh clone finds them again.
cache=${CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bare-kubernetes}
bin=$cache/bin
state=$cache/state
kubeconfig=$state/pki/admin.kubeconfig
bridge=pbk0          # joins the nodes' network namespaces with this machine
net=172.30.99        # the bridge's /24: this machine is .1, node N is .(10+N)
pods=10.244          # /16; node N gives out 10.244.N.0/24
services=10.96       # /16
parent=pbk           # cgroup above every pod
pause=registry.local/pause:1

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || { echo "gave up waiting for: $*" >&2; return 1; }
    sleep 0.1
  done
}

# init_of N: the process that is PID 1 of node N; nothing if the node does not run.
init_of() {
  local outer
  outer=$(cat "$state/node$1/pid" 2>/dev/null) || return 0
  grep -qa hack/cluster/node.sh "/proc/$outer/cmdline" 2>/dev/null || return 0 # another process has that number by now
  tr -d ' ' <"/proc/$outer/task/$outer/children"
}

# is_up: whether the cluster runs. Its state may be there although it does not: after a restart of the machine.
is_up() { [[ -e $state/running && -n $(init_of 1) ]]; }

# start_node N: in namespaces of its own, which hold everything that it starts. Its disk is kept from the time before.
start_node() {
  local folder=$state/node$1
  mkdir -p "$folder"
  setsid nsenter --net="/run/netns/pbk-node$1" unshare --mount --pid --uts --ipc --fork --kill-child --mount-proc \
    "$cluster/node.sh" "$1" >"$folder/init.log" 2>&1 </dev/null &
  echo $! >"$folder/pid"
}

# kill_node N: as if its power failed. The kernel ends what its PID 1 has started.
kill_node() {
  local init outer
  init=$(init_of "$1")
  [[ -n $init ]] || return 0
  outer=$(cat "$state/node$1/pid")
  kill -9 "$init"
  wait_for 20 test ! -d "/proc/$outer"
}
