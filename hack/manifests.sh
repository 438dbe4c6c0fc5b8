#!/usr/bin/env bash
# Generates the CustomResourceDefinitions into config/crd/bases and the roles into config/rbac, both from markers beside the code.
# The chart gets copies: links would not survive what archives a repository for Flux.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=(go tool -modfile=hack/tools/go.mod controller-gen)
"${tool[@]}" crd paths=./api/v1alpha1 output:crd:dir=config/crd/bases
"${tool[@]}" rbac:roleName=postback-operator paths=./controllers/... output:rbac:dir=config/rbac
chart=charts/postback-operator/files
cp config/crd/bases/*.yaml "$chart/"
cp config/rbac/role.yaml "$chart/role.yaml"
cp config/rbac/users/roles.yaml "$chart/users.yaml"
cp config/guards/guards.yaml "$chart/guards.yaml"
