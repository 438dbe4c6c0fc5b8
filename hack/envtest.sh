#!/usr/bin/env bash
# Prints the folder with etcd, kube-apiserver and kubectl for the tests against a real API server. KUBEBUILDER_ASSETS names
# it; otherwise the three are built once from Go modules into the user's cache.
set -euo pipefail
if [[ -z ${KUBEBUILDER_ASSETS:-} ]]; then
  . "$(dirname "$0")/cluster/settings.sh"
  "$cluster/build.sh" etcd apiserver
  KUBEBUILDER_ASSETS=$bin
fi
echo "$KUBEBUILDER_ASSETS"
