#!/usr/bin/env bash
# down.sh: ends what up.sh started, and removes its network, its cgroups and its state. Nothing is left but the built programs.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
[[ -e $state/running ]] || { echo "no cluster is up"; exit 0; }
. "$state/running"
for n in $(seq "$nodes"); do
  kill_node "$n"
  ip netns del "pbk-node$n" 2>/dev/null || true
  ip link del "pbkv$n" 2>/dev/null || true
done
ip link del "$bridge" 2>/dev/null || true # its routes go with it
for _ in $(seq 50); do # a cgroup can go once its last process has
  find /sys/fs/cgroup/*/"$parent" /sys/fs/cgroup/"$parent" -depth -type d -exec rmdir {} + 2>/dev/null || true
  ls -d /sys/fs/cgroup/*/"$parent" /sys/fs/cgroup/"$parent" 2>/dev/null | grep -q . || break
  sleep 0.1
done
while read -r key value; do
  [[ $(cat "/proc/sys/$key") == "$value" ]] || echo "$value" >"/proc/sys/$key"
done <"$state/sysctls"
rm -rf "$state"
echo "the cluster is down"
