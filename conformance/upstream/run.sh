#!/usr/bin/env bash
# Runs the validation programs of opencontainers/runtime-tools against one runtime and counts what they say.
#
#   RUNTIME=/usr/sbin/runc conformance/upstream/run.sh FOLDER [NAME...]
#
# FOLDER holds what a build of that project leaves behind: validation/NAME/NAME.t, runtimetest and rootfs-ARCH.tar.gz. Neither
# the programs nor the means to build them are part of this repository. NAMEs limit the run to these programs. The results go to
# conformance/upstream/results/LABEL.json (LABEL from the environment, else the runtime's name; LABEL=- writes nothing).
# A program passes if it asserts something, no assertion is "not ok" or carries an error, it exits 0 and ends in time.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")

if [ "${RIG:-}" != inside ]; then
  export RIG=inside
  export RUNTIME=${RUNTIME:-$here/../../dist/tsrun}
  RUNTIME=$(readlink -f "$(command -v "$RUNTIME")")
  # One program wants the second network interface of the host in net_prio, which knows the first network namespace only.
  exec "$here/../lib/isolate.sh" --host-network -- "$here/run.sh" "$@"
fi

[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$(readlink -f "$1"); shift
label=${LABEL:-$(basename "$RUNTIME")}
limit=${PROGRAM_TIMEOUT:-60}
work=$(mktemp -d)
chmod 711 "$work" # user namespaces have to pass through
trap 'rm -rf --one-file-system "$work"' EXIT
export TMPDIR=$work/tmp
mkdir "$TMPDIR" "$work/out"
cd "$folder"
[ $# -gt 0 ] || set -- $(cd validation && ls -d -- */ | tr -d / | while read -r name; do [ -x "$name/$name.t" ] && echo "$name"; done)

for name in "$@"; do
  started=$(date +%s%N)
  status=0
  # Namespaces for each: what a failed program leaves (mounts, processes, state) must not reach the next one.
  timeout -k 5 "$limit" unshare --mount --pid --fork --kill-child --mount-proc \
    sh -c 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$0"' "validation/$name/$name.t" \
    >"$work/out/$name.tap" 2>"$work/out/$name.err" </dev/null || status=$?
  ended=$(date +%s%N)
  echo "$status $(((ended - started) / 1000000))" >"$work/out/$name.status"
  find /sys/fs/cgroup -mindepth 2 -depth -type d ! -path /sys/fs/cgroup/unified ! -path '*/rig' 2>/dev/null |
    while read -r dir; do echo "$dir"; rmdir "$dir"; done >"$work/out/$name.left"
  rm -rf --one-file-system "${TMPDIR:?}"/*
done

node "$here/count.mjs" "$work/out" "$RUNTIME" "$label" "$here/results"
