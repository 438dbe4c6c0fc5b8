#!/usr/bin/env bash
# load.sh IMAGE.tar...: imports images, OCI layouts in tar archives, into every node of the running cluster.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
(($# > 0)) || { echo "usage: load.sh IMAGE.tar..." >&2; exit 2; }
is_up || { echo "no cluster is up" >&2; exit 1; }
. "$state/running"
for n in $(seq "$nodes"); do
  init=$(init_of "$n")
  [[ -n $init ]] || continue
  for archive; do
    nsenter -t "$init" -m -n -p "$bin/ctr" -n k8s.io images import "$(readlink -f "$archive")" >/dev/null
  done
done
# For nodes that start later.
cp "$@" "$state/images/"
