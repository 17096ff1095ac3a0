#!/usr/bin/env bash
# The trace of a real `podman run`, for docs/performance.md and docs/trace.png. Of 21 runs it takes the one in the middle; choose a quiet moment
# (it says how busy the machine was). Needs root, podman, busybox-static, chromium, and dist/tsrun.
#
#   conformance/bench/podman-trace.sh
. "$(dirname "$(readlink -f "$0")")/../engines/lib.sh"
engine_main "$@"
set -eu
make_rootfs "$WORK/rootfs"
p() { timeout -k 5 60 podman --root "$WORK/root" --runroot "$WORK/runroot" --tmpdir "$WORK/libpod" --cgroup-manager cgroupfs --events-backend file --runtime "$RUNTIME" "$@"; }
tar -C "$WORK/rootfs" -cf - . | p import - box >/dev/null 2>&1
for ((i = 0; i < 22; i++)); do
  p --runtime-flag "trace=$WORK/$i-%c.json" run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 box true
done
# The first one has a seccomp profile that is new.
rm "$WORK"/0-*.json
for file in "$WORK"/*-create.json; do echo "$("$RUNTIME" trace --json "$file" | grep -m1 totalMs | tr -dc 0-9.) $file"; done | sort -n >"$WORK/totals"
middle=$(sed -n "$((($(wc -l <"$WORK/totals") + 1) / 2))s/^[^ ]* //p" "$WORK/totals")
sed 's/ .*//' "$WORK/totals" | tr '\n' ' '
p rmi -fa >/dev/null 2>&1
cd "$here/../.."
node src/build/run-ts.mjs conformance/bench/trace-picture.ts "$middle"
