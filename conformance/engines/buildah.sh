#!/usr/bin/env bash
# buildah with one runtime: RUNTIME=/path/to/runtime bash conformance/engines/buildah.sh
# Needs root, buildah, busybox-static and script. It drives create, start, state, kill and delete itself, without conmon.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
engine_main "$@"
set -u
ENGINE_CGROUPS='buildah-buildah[0-9]+|parent'
ENGINE_MOUNTS=$WORK/root/overlay

cat >"$WORK/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
CONF
export CONTAINERS_CONF=$WORK/containers.conf BUILDAH_RUNTIME=$RUNTIME BUILDAH_ISOLATION=oci
B="timeout -k 5 60 buildah --root $WORK/root --runroot $WORK/runroot"
b() { timeout -k 5 60 buildah --root "$WORK/root" --runroot "$WORK/runroot" "$@"; }
engine_stop() { b rm -a >/dev/null 2>&1; engine_remove; }

make_rootfs "$WORK/rootfs"
c=$(b from scratch 2>/dev/null) && b copy -q "$c" "$WORK/rootfs" / >/dev/null || { echo "Bail out! no container"; exit 2; }
run() { b run --isolation oci --network none "$@"; }

cell 'run prints' 'hello' run "$c" -- echo hello
cell -s 7 'exit status passes through' '' run "$c" -- sh -c 'exit 7'
cell 'stdout and stderr stay apart' 'out' run "$c" -- sh -c 'echo out; echo err >&2'
cell 'what a step writes is there in the next one' 'kept' bash -c "$B run --isolation oci $c -- sh -c 'echo kept >/kept' && $B run --isolation oci $c -- cat /kept"
cell -s 1 'a program that is not there' '' bash -c "$B run --isolation oci $c -- /bin/no-such-program 2>/dev/null || exit 1"
cell '--user' '1000' run --user app "$c" -- id -u
cell '--workingdir, --env' '/tmp value' run --workingdir /tmp --env KEY=value "$c" -- sh -c 'echo $PWD $KEY'
cell '--cap-drop' 'CapEff:	0000000000000000' run --user app --cap-drop all "$c" -- grep CapEff /proc/self/status
mkdir -p "$WORK/shared"; echo from outside >"$WORK/shared/in"
cell '--volume' 'from outside' run --volume "$WORK/shared:/data:ro" "$c" -- cat /data/in
cell '--mount tmpfs' '.* /scratch tmpfs .*' run --mount type=tmpfs,dst=/scratch "$c" -- grep ' /scratch ' /proc/mounts
cell '--hostname' 'box7' run --hostname box7 "$c" -- hostname
cell 'the seccomp profile is on' 'Seccomp:	2' run "$c" -- grep Seccomp: /proc/self/status
terminal() { on_terminal "$B run --isolation oci --tty $c -- sh -c 'sleep 0.5; tty; stty size'"; }
cell '--tty' $'/dev/pts/0\n40 100' terminal
from_stdin() { echo data | run "$c" -- cat; }
cell 'stdin' 'data' from_stdin
b commit -q "$c" localhost/box:1 >/dev/null 2>&1
built() {
  printf 'FROM localhost/box:1\nRUN echo built >/made\nRUN test -e /made && id -u >/who\nUSER app\nRUN id -u >/tmp/app\n' >"$WORK/Dockerfile"
  b bud -q --isolation oci --network none --memory 64m -t built -f "$WORK/Dockerfile" "$WORK" >/dev/null || return
  local n; n=$(b from localhost/built) && run "$n" -- cat /made /who /tmp/app; b rm "$n" >/dev/null
}
cell 'build with RUN steps' $'built\n0\n1000' built
failing() { printf 'FROM localhost/box:1\nRUN exit 9\n' >"$WORK/Dockerfile"; b bud -q --isolation oci --network none -f "$WORK/Dockerfile" "$WORK" >/dev/null 2>&1; echo "status $?"; }
cell 'a failing RUN fails the build' 'status 9' failing
engine_end
