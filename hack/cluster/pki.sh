#!/usr/bin/env bash
# pki.sh NODES: makes the cluster's authorities, certificates and kubeconfigs again. It takes a second.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
nodes=$1
rm -rf "$state/pki"
mkdir -p -m 700 "$state/pki"
cd "$state/pki"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

authority() {
  key "$1"
  openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 3650 -out "$1.crt" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,digitalSignature,keyCertSign
}

# leaf NAME AUTHORITY SUBJECT USAGE [ALTERNATIVE_NAMES]
leaf() {
  key "$1"
  {
    printf '%s\n' basicConstraints=CA:FALSE keyUsage=digitalSignature,keyEncipherment "extendedKeyUsage=$4"
    [[ -z ${5:-} ]] || echo "subjectAltName=$5"
  } >"$1.ext"
  openssl req -new -key "$1.key" -subj "$3" |
    openssl x509 -req -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 3650 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}

# client NAME SUBJECT: a certificate and the kubeconfig that uses it.
client() {
  leaf "$1" ca "$2" clientAuth
  cat >"$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: bare, cluster: {server: "https://$net.11:6443", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: bare, context: {cluster: bare, user: $1}}]
current-context: bare
YAML
}

authority ca
authority front-proxy-ca
openssl genrsa -out sa.key 2048 2>/dev/null
openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
leaf apiserver ca /CN=kube-apiserver serverAuth \
  "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:$net.11,IP:$services.0.1"
leaf apiserver-kubelet ca /O=system:masters/CN=apiserver-kubelet-client clientAuth
leaf front-proxy front-proxy-ca /CN=front-proxy-client clientAuth
client admin /O=system:masters/CN=admin
for component in kube-controller-manager kube-scheduler kube-proxy metrics-server coredns; do
  client "$component" "/CN=system:$component"
done
for n in $(seq "$nodes"); do
  client "node$n" "/O=system:nodes/CN=system:node:node$n"
  leaf "node$n-serving" ca "/O=system:nodes/CN=system:node:node$n" serverAuth "DNS:node$n,IP:$net.$((10 + n))"
done
rm -f ./*.ext
