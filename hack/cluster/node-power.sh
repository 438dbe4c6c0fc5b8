#!/usr/bin/env bash
# node-power.sh off|on N: fails the power of node N of the running cluster, or gives it back. Not of the first: it has the
# control plane.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
is_up || { echo "no cluster is up" >&2; exit 1; }
. "$state/running"
(($# == 2 && $2 > 1 && $2 <= nodes)) || { echo "usage: node-power.sh off|on N, with N from 2 to $nodes" >&2; exit 2; }
case $1 in
off) kill_node "$2" ;;
on) [[ -n $(init_of "$2") ]] || start_node "$2" ;;
*) exit 2 ;;
esac
