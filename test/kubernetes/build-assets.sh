#!/usr/bin/env bash
# Builds the programs of a real control plane from their Go modules: etcd, kube-apiserver, kube-controller-manager and
# kube-scheduler, for tests that need an API server (found through KUBEBUILDER_ASSETS, as with envtest).
#
#   test/kubernetes/build-assets.sh DEST
#
# DEST is complete or absent: the programs are built in a temporary folder and moved in one rename; a second call
# returns at once. After an interruption, Go's own caches let the build resume. LOCKSTEP_ASSETS_LIMIT (seconds, default
# 2400) ends it.
set -euo pipefail

kubernetes=1.34.4
etcd=3.6.16
dest=${1:?usage: build-assets.sh DEST}
limit=${LOCKSTEP_ASSETS_LIMIT:-2400}
programs=(kube-apiserver kube-controller-manager kube-scheduler)

complete() { for program in etcd "${programs[@]}"; do [ -x "$dest/$program" ] || return 1; done; }
if complete; then exit 0; fi
command -v go > /dev/null || { echo 'build-assets: expected go on PATH to build the API server, found none'; exit 1; }

mkdir -p "$(dirname "$dest")"
work=$(mktemp -d "$dest.building-XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export CGO_ENABLED=0 GOFLAGS=-mod=mod GOWORK=off

# Both builds share the remaining time.
within() { timeout --kill-after 10 "$((limit - SECONDS > 1 ? limit - SECONDS : 1))" "$@"; }
link="-s -w -X k8s.io/component-base/version.gitVersion=v$kubernetes -X k8s.io/component-base/version.gitMajor=1 \
-X k8s.io/component-base/version.gitMinor=${kubernetes:2:2}"

# k8s.io/kubernetes refers to its staging modules by folders that its module doesn't contain; their releases replace
# them.
mkdir "$work/kubernetes" "$work/etcd" "$work/bin"
cd "$work/kubernetes"
source=$(GOFLAGS='' within go mod download -json "k8s.io/kubernetes@v$kubernetes" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
sed -e 's|^module .*|module assets|' \
  -e "s|=> \./staging/src/\(.*\)|=> \1 v0.${kubernetes#1.}|" "$source/go.mod" > go.mod
cp "$source/go.sum" go.sum && chmod u+w go.mod go.sum
go mod edit -require "k8s.io/kubernetes@v$kubernetes"
within go build -trimpath -ldflags "$link" -o "$work/bin/" "${programs[@]/#/k8s.io/kubernetes/cmd/}"

cd "$work/etcd"
go mod init assets 2> /dev/null
within go get "go.etcd.io/etcd/server/v3@v$etcd"
within go build -trimpath -ldflags '-s -w' -o "$work/bin/etcd" go.etcd.io/etcd/server/v3

rm -rf "$dest"
mv "$work/bin" "$dest"
complete
