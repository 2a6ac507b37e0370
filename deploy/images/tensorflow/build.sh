#!/usr/bin/env bash
# Installs TF.js's native binding for GPUs, verifying every file: deploy/images/tensorflow/build.sh DEST
#
# npm packages are installed from package-lock.json next to this script, without their install scripts. libtensorflow is
# verified against scripts/downloads.json. The addon, which the package's installer would download unverified, is compiled
# from the package's sources. Linux on x86-64; needs npm, g++ and Node's headers. DEST must not exist. Workers find the
# binding with NODE_PATH=DEST/node_modules.
#   FETCH_URL   mirror of the libtensorflow archive; its SHA-256 is verified too
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dest=$(realpath -m "${1:?usage: build.sh DEST}")
if [ -e "$dest" ]; then
  echo "build tensorflow: expected a new folder, got an existing one: $dest; remove it or pass another" >&2
  exit 2
fi
headers=$(dirname "$(dirname "$(node -p process.execPath)")")/include/node
if [ ! -f "$headers/node_api.h" ]; then
  echo "build tensorflow: expected Node's headers in $headers, got none; use a Node.js that includes them" >&2
  exit 2
fi

mkdir -p "$dest"
trap 'rm -rf "$dest"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$dest"
(cd "$dest" && npm ci --ignore-scripts --no-audit --no-fund --silent)
package=$dest/node_modules/@tensorflow/tfjs-node-gpu

archive=$dest/libtensorflow.tar.gz
node "$here/../../../scripts/fetch.mjs" libtensorflow-gpu "$archive"
mkdir -p "$package/deps" "$package/lib/napi-v8"
tar -xzf "$archive" -C "$package/deps"
rm "$archive"

g++ -std=c++17 -O2 -fPIC -shared -DNAPI_VERSION=8 -I "$headers" -I "$package/deps/include" -I "$package" \
  "$package"/binding/*.cc -o "$package/lib/napi-v8/tfjs_binding.node" \
  -L "$package/deps/lib" -ltensorflow -ltensorflow_framework "-Wl,-rpath,\$ORIGIN/../../deps/lib"
rm -rf "$package/deps/include"
trap - EXIT
