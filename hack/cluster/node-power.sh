#!/usr/bin/env bash
# node-power.sh off|on nodeN: fails the power of a node of the running cluster, or gives it back. Not of node1: it has the
# control plane.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
is_up || { echo "no cluster is up" >&2; exit 1; }
. "$state/running"
[[ $# == 2 && $2 =~ ^node([0-9]+)$ ]] && n=${BASH_REMATCH[1]} && ((n > 1 && n <= nodes)) ||
  { echo "usage: node-power.sh off|on nodeN, with N from 2 to $nodes" >&2; exit 2; }
case $1 in
off) kill_node "$n" ;;
on) [[ -n $(init_of "$n") ]] || start_node "$n" ;;
*) exit 2 ;;
esac
