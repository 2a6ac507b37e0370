#!/usr/bin/env bash
# Builds @tensorflow/tfjs-node where its own installer can't fetch libtensorflow: the addon is compiled from the npm
# package's sources against the C library inside PyPI's tensorflow-cpu wheel.
#
# usage: build-tfjs-node.sh DEST
# The package is then in DEST/node_modules; LOCKSTEP_TFJS_NODE=DEST makes the tests use it. Linux on x86-64; needs npm,
# python3 with pip, g++ and Node's headers. DEST appears complete or not at all; if it exists already, nothing is done.
# Takes about a minute, at most ten.
set -euo pipefail

version=4.22.0
# The patch release nearest to libtensorflow 2.9.1, which the installer would fetch.
tensorflow=2.9.3
wheel_sha256=9037ab0580b0dfcc054713490dd6c84a6e66ea32216488faadcc2e8f7a0abaa8

dest=$(realpath -m "${1:?usage: build-tfjs-node.sh DEST}")
if [ -f "$dest/complete" ]; then exit 0; fi
if [ -z "${LOCKSTEP_BUILD_LIMITED:-}" ]; then exec env LOCKSTEP_BUILD_LIMITED=1 timeout 600 "$0" "$dest"; fi

mkdir -p "$(dirname "$dest")"
work=$(mktemp -d "$dest.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

find_headers() {
  local folder
  for folder in "$(dirname "$(dirname "$(node -p process.execPath)")")/include/node" /usr/include/node; do
    if [ -f "$folder/node_api.h" ]; then echo "$folder" && return; fi
  done
  echo "build tfjs-node: expected Node's headers beside its binary or in /usr/include/node, got none" >&2
  return 1
}
headers=$(find_headers)

echo '{ "private": true }' > package.json
npm install --save-exact "@tensorflow/tfjs-node@$version" --ignore-scripts --prefer-offline --no-audit --no-fund --silent
# The wheel is for another version of Python; only its C library is used.
echo "tensorflow-cpu==$tensorflow --hash=sha256:$wheel_sha256" > requirements.txt
python3 -m pip download --require-hashes --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.10 \
  --platform manylinux2014_x86_64 --dest wheel -r requirements.txt
python3 - wheel/*.whl wheel << 'SCRIPT'
import sys, zipfile

libraries = ('tensorflow/libtensorflow_framework.so.2', 'tensorflow/python/_pywrap_tensorflow_internal.so')
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wanted = [n for n in wheel.namelist() if n in libraries or n.startswith('tensorflow/include/tensorflow/')]
    wheel.extractall(sys.argv[2], wanted)
SCRIPT

package=node_modules/@tensorflow/tfjs-node
libraries=$package/deps/lib
mkdir -p "$libraries" "$package/lib/napi-v8"
mv wheel/tensorflow/libtensorflow_framework.so.2 wheel/tensorflow/python/_pywrap_tensorflow_internal.so "$libraries"

# The C library is in one file with the Python bindings, which need Python's symbols; nothing here ever calls them.
nm -D --undefined-only "$libraries/_pywrap_tensorflow_internal.so" |
  awk '$2 ~ /^_?Py/ { print "char " $2 "[512];" }' > no-python.c
gcc -shared -fPIC -Wl,-soname,libno-python.so -o "$libraries/libno-python.so" no-python.c

# The wheel is built with the old layout of std::string.
g++ -std=c++17 -O2 -fPIC -shared -D_GLIBCXX_USE_CXX11_ABI=0 -DNAPI_VERSION=8 \
  -I "$headers" -I wheel/tensorflow/include -I "$package" "$package"/binding/*.cc \
  -o "$package/lib/napi-v8/tfjs_binding.node" -L "$libraries" \
  -Wl,--no-as-needed -l:libno-python.so -l:_pywrap_tensorflow_internal.so -l:libtensorflow_framework.so.2 \
  "-Wl,-rpath,\$ORIGIN/../../deps/lib"

node -e "const tf = require('@tensorflow/tfjs-node'); console.log(tf.backend().binding.TF_Version)" 2> load.log |
  grep -qx "$tensorflow" || { cat load.log >&2; exit 1; }
rm -rf wheel no-python.c load.log requirements.txt
touch complete
rm -rf "$dest"
mv "$work" "$dest"
trap - EXIT
