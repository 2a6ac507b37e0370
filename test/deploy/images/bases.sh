#!/bin/sh
# Builds our base images without a registry: test/deploy/images/bases.sh BASE NODE_IMAGE WORK
# BASE: Debian without documentation, by mmdebstrap. NODE_IMAGE: that with this machine's node and npm.
set -eu
base=$1 node_image=$2 work=$3
if buildah inspect "$node_image" > /dev/null 2>&1; then exit 0; fi

exclude=
for path in doc man info locale; do exclude="$exclude --dpkgopt=path-exclude=/usr/share/$path/*"; done
# shellcheck disable=SC2086
mmdebstrap --quiet --variant=minbase $exclude bookworm "$work/base.tar"
container=$(buildah from scratch)
buildah add -q "$container" "$work/base.tar" / > /dev/null
buildah commit -q --rm "$container" "$base" > /dev/null
rm "$work/base.tar"

container=$(buildah from "$base")
root=$(buildah mount "$container")
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
mkdir -p "$root/usr/local/lib/node_modules"
cp "$(readlink -f "$(command -v node)")" "$root/usr/local/bin/node"
cp -r "$npm" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
buildah umount "$container" > /dev/null
buildah commit -q --rm "$container" "$node_image" > /dev/null
