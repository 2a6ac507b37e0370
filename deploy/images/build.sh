#!/bin/sh
# Builds Lockstep's images: deploy/images/build.sh [TARGET…]   (default: cpu operator)
#
# TARGET    cpu, gpu, gpu-tensorflow, operator
# Environment:
#   BUILDER   docker, podman or buildah; default: the first one available
#   IMAGE     image name; default: lockstep, for lockstep:0.6.0-cpu and so on
#   VERSION   tag; default: the version in package.json
#   NPMRC     an .npmrc for a registry mirror; not stored in the image
#   BUILD_ARGS  additional arguments for the builder, for example --build-arg BASE=registry.example/debian@sha256:… --network=host
set -eu
cd "$(dirname "$0")/../.."

if [ -z "${BUILDER:-}" ]; then
  for BUILDER in docker podman buildah none; do
    if [ "$BUILDER" = none ]; then
      echo "build: expected docker, podman or buildah, got none; install one, or set BUILDER" >&2
      exit 1
    fi
    if command -v "$BUILDER" > /dev/null && "$BUILDER" info > /dev/null 2>&1; then break; fi
  done
fi
IMAGE=${IMAGE:-lockstep}
VERSION=${VERSION:-$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)}
REVISION=$(git rev-parse HEAD 2> /dev/null || echo unknown)
if [ -n "${NPMRC:-}" ]; then secret="--secret id=npmrc,src=$NPMRC"; else secret=; fi

if [ $# -eq 0 ]; then set -- cpu operator; fi
for target; do
  echo "build: $IMAGE:$VERSION-$target with $BUILDER" >&2
  # docker needs BuildKit for the secret. BUILD_ARGS and secret are split into words on purpose.
  # shellcheck disable=SC2086
  DOCKER_BUILDKIT=1 "$BUILDER" build -f deploy/images/Dockerfile --target "$target" -t "$IMAGE:$VERSION-$target" \
    --build-arg VERSION="$VERSION" --build-arg REVISION="$REVISION" $secret ${BUILD_ARGS:-} .
done
