#!/usr/bin/env bash
# Fetches what ONNX Runtime needs to compute on NVIDIA GPUs and Lockstep's packages do not hold: its CUDA provider, and
# CUDA's libraries with cuDNN, into node_modules/onnxruntime-node and gpu-libraries (3 GB). Lockstep is built, too.
#
# usage: scripts/gpu-setup.sh [12|13]   CUDA's major version, default 12
#   12  the provider from NuGet, by onnxruntime-node's own script; any driver since 525, GPUs since compute capability 6.0
#   13  the provider from PyPI's onnxruntime-gpu of the same version; a driver since 580, capability 7.5 and more
#
# Linux on x86-64; needs npm and python3 with pip (3.11 or newer for 13), no GPU. For a machine without internet: run it on one with, and carry
# the whole folder there. There, NVIDIA's driver (libcuda.so.1) and Node.js must be installed.
set -euo pipefail
cd "$(dirname "$0")/.."

cuda=${1:-12}
[ -d node_modules ] || npm ci
npm run build
ort=$PWD/node_modules/onnxruntime-node
version=$(node -p "require('$ort/package.json').version")
libraries=$PWD/gpu-libraries
fetch() { python3 -m pip install --quiet --disable-pip-version-check --only-binary=:all: --target "$libraries" --upgrade "$@"; }

case $cuda in
  12)
    if ! node "$ort/script/install.js"; then
      echo 'gpu-setup: expected NuGet to give the CUDA provider, see above; scripts/gpu-setup.sh 13 takes it from PyPI' >&2
      exit 1
    fi
    fetch nvidia-{cublas,cuda-runtime,cuda-nvrtc,cufft,curand}-cu12 'nvidia-cudnn-cu12~=9.0'
    ;;
  13)
    fetch "onnxruntime-gpu[cuda,cudnn]==$version"
    mv "$libraries"/onnxruntime/capi/libonnxruntime_providers_{cuda,shared}.so "$ort"/bin/napi-v*/linux/x64/
    # The libraries are wanted, not Python's packages.
    find "$libraries" -mindepth 1 -maxdepth 1 ! -name nvidia -exec rm -rf {} +
    ;;
  *)
    echo "gpu-setup: expected CUDA 12 or 13, got $cuda" >&2
    exit 2
    ;;
esac

path=$(printf '%s:' "$libraries"/nvidia/*/lib)
provider=$(ls "$ort"/bin/napi-v*/linux/x64/libonnxruntime_providers_cuda.so)
# The driver's own library is not fetched, and not needed to fetch the others.
missing=$(LD_LIBRARY_PATH=$path ldd "$provider" | grep 'not found' | grep -v libcuda.so || true)
if [ -n "$missing" ]; then
  echo "gpu-setup: expected all libraries of $provider to be there, got none for: $missing" >&2
  exit 1
fi
echo 'lockstep train and npm run bench:gpu find the libraries by themselves. For a worker that is started by hand:'
echo "  export LD_LIBRARY_PATH=$path\${LD_LIBRARY_PATH:-}"
