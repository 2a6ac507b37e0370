#!/bin/sh
# Builds the cpu image and trains in it, as a pod would: test/deploy/images/train.sh [DATA]
#
# As user 10001, read-only root, no capabilities, no new privileges; a coordinator and two workers, with TLS and token.
# Without an image registry, the bases are built from Debian's packages (mmdebstrap) and this machine's Node. Needs
# root, buildah, podman, mmdebstrap; takes about four minutes. Not part of `npm test`.
#   DATA         folder with CIFAR-10; by default, the job is trained on the synthetic dataset
#   NODE_IMAGE, BASE   base images to use instead of those built here
#   NPMRC        for a mirror of the npm registry
#   BUILD_ARGS   more options for buildah
#   PODMAN_ARGS  default: --runtime runc --cgroup-manager=cgroupfs, which also works inside a virtual machine
set -eu
cd "$(dirname "$0")/../../.."
data=${1:-}
podman="podman ${PODMAN_ARGS:---runtime runc --cgroup-manager=cgroupfs}"
work=$(mktemp -d)
ids=
finish() {
  for id in $ids; do $podman rm -f -t 1 "$id" > /dev/null 2>&1 || true; done
  rm -rf "$work"
}
trap finish EXIT

if [ -z "${BASE:-}" ]; then
  BASE=localhost/lockstep-test/debian:bookworm NODE_IMAGE=localhost/lockstep-test/node:bookworm
  sh test/deploy/images/bases.sh "$BASE" "$NODE_IMAGE" "$work"
fi
export NPMRC="${NPMRC:-}" BUILDER=buildah IMAGE=localhost/lockstep VERSION=test
BUILD_ARGS="--build-arg NODE_IMAGE=$NODE_IMAGE --build-arg BASE=$BASE --network=host --isolation=chroot ${BUILD_ARGS:-}" \
  deploy/images/build.sh cpu
image=$IMAGE:$VERSION-cpu

# Security settings of a pod under the restricted standard.
pod="$podman run --rm --read-only --cap-drop=all --security-opt=no-new-privileges --network=host"
pod="$pod --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 --tmpfs /tmp:mode=1777"

mkdir -m 0777 "$work/run" "$work/certs"
$pod -v "$work/certs:/certs" "$image" certs --out /certs/made --host 127.0.0.1 > /dev/null
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$work/token"
chmod 644 "$work/token"
tls() { echo "--tls-cert /certs/made/$1.crt --tls-key /certs/made/$1.key --tls-ca /certs/made/ca.crt --token-file /token"; }
files="-v $work/certs:/certs:ro -v $work/token:/token:ro"
if [ -n "$data" ]; then source="-v $data:/var/lib/lockstep/data:ro"; set -- ; else source=; set -- --set data.dataset=synthetic; fi

# The variables' words are separate arguments.
# shellcheck disable=SC2046,SC2086
{
  for _ in 1 2; do
    ids="$ids $($pod -d $files "$image" worker --coordinator 127.0.0.1:50961 $(tls worker))"
  done
  $pod $files $source -v "$work/run:/var/lib/lockstep/run" "$image" coordinator --preset cluster-cnn3 --epochs 1 \
    --set data.limit=490 "$@" --run /var/lib/lockstep/run/it --listen 127.0.0.1:50961 --http 127.0.0.1:50962 \
    --min-workers 2 --wait 60 $(tls coordinator)
}
test -s "$work/run/it/report/index.html"
owner=$(stat -c %u "$work/run/it/run.json")
if [ "$owner" != 10001 ]; then echo "train: expected files of user 10001, got of $owner" >&2; exit 1; fi
$podman image inspect --format '{{.Size}} bytes, {{.Config.User}}, {{.Config.Entrypoint}}' "$image"
echo "trained in $image"
