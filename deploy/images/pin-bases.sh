#!/bin/sh
# Updates the pinned digests of images in deploy/ to the current digests of their tags:
# deploy/images/pin-bases.sh [--check]   (--check: only report differences, with exit code 1)
#
# Needs access to the registries, and skopeo, crane or docker with buildx.
set -eu
cd "$(dirname "$0")/../.."

digest() {
  if command -v skopeo > /dev/null; then skopeo inspect --no-tags --format '{{.Digest}}' "docker://$1"
  elif command -v crane > /dev/null; then crane digest "$1"
  else docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"; fi
}

differ=0
# Paths and image names contain no blanks.
# shellcheck disable=SC2013
for file in $(grep -rlE '[a-z0-9./-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}' deploy); do
  for pinned in $(grep -oE '[a-z0-9./-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}' "$file" | sort -u); do
    tag=${pinned%@*}
    now=$(digest "$tag")
    case $now in sha256:????????????????????????????????????????????????????????????????) ;; *)
      echo "pin-bases: expected a digest for $tag, got '$now'" >&2
      exit 1 ;;
    esac
    if [ "$tag@$now" = "$pinned" ]; then continue; fi
    differ=1
    echo "$file: $pinned -> $now"
    if [ "${1:-}" != --check ]; then sed -i "s|$pinned|$tag@$now|g" "$file"; fi
  done
done
if [ "${1:-}" = --check ]; then exit "$differ"; fi
