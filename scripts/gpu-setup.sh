#!/usr/bin/env bash
# Downloads what ONNX Runtime needs for NVIDIA GPUs: its CUDA provider into the package onnxruntime-node, and CUDA with
# cuDNN into gpu-libraries next to node_modules (3 GB). In a checkout it builds Lockstep first.
#
# usage: scripts/gpu-setup.sh                          in a checkout
#        node_modules/lockstep/scripts/gpu-setup.sh    where Lockstep is installed as a package
#   CUDA 13: driver 580 or newer, compute capability 7.5 or higher. All files come from PyPI and are verified against the
#   SHA-256 in scripts/downloads.json or scripts/gpu-requirements.txt.
#
# Linux on x86-64; needs npm and python3 with pip, but no GPU. For a machine without internet, run it on another one and
# copy the whole folder. The target machine needs NVIDIA's driver (libcuda.so.1) and Node.js.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."

if [ $# -gt 0 ]; then
  echo "gpu-setup: expected no arguments, got $*; ONNX Runtime's CUDA provider is built for CUDA 13 only" >&2
  exit 2
fi
# A package contains dist, but not what builds it.
if [ -f scripts/build.mjs ]; then
  [ -d node_modules ] || npm ci
  npm run build
fi
# An optional dependency, in Lockstep's node_modules or in those of a folder above.
wanted=$(node -p 'require("./package.json").peerDependencies["onnxruntime-node"]')
ort=$(node -p 'path.dirname(require.resolve("onnxruntime-node/package.json"))' 2> /dev/null || true)
found=${ort:+$(node -p 'require("onnxruntime-node/package.json").version')}
if [ "$found" != "$wanted" ]; then
  here=${PWD%/node_modules/lockstep}
  echo "gpu-setup: expected the package onnxruntime-node@$wanted, got ${found:-none}; run" \
    "npm install --ignore-scripts onnxruntime-node@$wanted in $here, then this script again" >&2
  exit 1
fi
libraries=$(dirname "$(dirname "$ort")")/gpu-libraries
mkdir -p "$libraries"
wheel=$libraries/onnxruntime-gpu.zip
trap 'rm -rf "$wheel" "$libraries/onnxruntime"' EXIT

node scripts/fetch.mjs onnxruntime-gpu "$wheel"
python3 - "$wheel" "$libraries" << 'SCRIPT'
import sys, zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name in ('cuda', 'shared'):
        wheel.extract(f'onnxruntime/capi/libonnxruntime_providers_{name}.so', sys.argv[2])
SCRIPT
mv "$libraries"/onnxruntime/capi/libonnxruntime_providers_{cuda,shared}.so "$ort"/bin/napi-v*/linux/x64/

python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
  --target "$libraries" --upgrade -r scripts/gpu-requirements.txt
# Keep only the libraries of the Python packages.
find "$libraries" -mindepth 1 -maxdepth 1 ! -name nvidia -exec rm -rf {} +

path=$(printf '%s:' "$libraries"/nvidia/*/lib)
provider=$(ls "$ort"/bin/napi-v*/linux/x64/libonnxruntime_providers_cuda.so)
# libcuda.so comes with the driver, which this machine may not have.
missing=$(LD_LIBRARY_PATH=$path ldd "$provider" | grep 'not found' | grep -v libcuda.so || true)
if [ -n "$missing" ]; then
  echo "gpu-setup: expected all libraries of $provider, missing: $missing" >&2
  exit 1
fi
echo 'lockstep train and npm run bench:gpu find the libraries automatically. For a worker started manually:'
echo "  export LD_LIBRARY_PATH=$path\${LD_LIBRARY_PATH:-}"
