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
B="timeout -k 5 $deadline buildah --root $WORK/root --runroot $WORK/runroot"
b() { timeout -k 5 $deadline buildah --root "$WORK/root" --runroot "$WORK/runroot" "$@"; }
engine_stop() { b rm -a >/dev/null 2>&1; engine_remove; }

make_rootfs "$WORK/rootfs"
c=$(b from scratch 2>/dev/null) && b copy -q "$c" "$WORK/rootfs" / >/dev/null || { echo "Bail out! no container"; exit 2; }
run() { b run --isolation oci --network none "$@"; }

cell 'run prints' 'hello' run "$c" -- echo hello
cell -s 7 'exit status passes through' '' run "$c" -- sh -c 'exit 7'
cell 'stdout and stderr stay apart' 'out' run "$c" -- sh -c 'echo out; echo err >&2'
cell 'what a step writes is there in the next one' 'kept' bash -c "$B run --isolation oci $c -- sh -c 'echo kept >/kept' && $B run --isolation oci $c -- cat /kept"
missing() { run "$c" -- /bin/no-such-program 2>&1 | grep -o 'no-such-program' | head -n 1; [ "${PIPESTATUS[0]}" != 0 ]; }
cell 'a program that is not there' 'no-such-program' missing
cell '--user' '1000' run --user app "$c" -- id -u
cell '--workingdir, --env' '/tmp value' run --workingdir /tmp --env KEY=value "$c" -- sh -c 'echo $PWD $KEY'
cell '--cap-drop' 'CapEff:	0000000000000000' run --cap-drop all "$c" -- grep CapEff /proc/self/status
mkdir -p "$WORK/shared"; echo from outside >"$WORK/shared/in"
cell '--volume' 'from outside' run --volume "$WORK/shared:/data:ro" "$c" -- cat /data/in
cell '--mount tmpfs' '.* /scratch tmpfs .*' run --mount type=tmpfs,dst=/scratch "$c" -- grep ' /scratch ' /proc/mounts
cell '--volume :ro' '.*Read-only file system' run --volume "$WORK/shared:/data:ro" "$c" -- sh -c 'touch /data/x 2>&1; :'
cell '--mount type=bind' 'from outside' run --mount "type=bind,src=$WORK/shared,dst=/data" "$c" -- cat /data/in
by_flag() { env -u BUILDAH_RUNTIME timeout -k 5 $deadline buildah --root "$WORK/root" --runroot "$WORK/runroot" run --isolation oci --runtime "$@"; }
cell '--runtime PATH' 'hello' by_flag "$RUNTIME" "$c" -- echo hello
either() { by_flag "$RUNTIME" "$c" -- echo hello; by_flag /no/such "$c" -- echo hello 2>/dev/null || echo refused; }
cell '--runtime of a path that is not there' $'hello\nrefused' either
debugged() { by_flag "$RUNTIME" --runtime-flag debug "$c" -- echo hello 2>/dev/null; }
cell '--runtime-flag' 'hello' debugged
bit='c=0x$(sed -n "s/CapBnd:.//p" /proc/self/status); echo $((c >> 25 & 1))'
cell '--cap-add' '0 1' bash -c "echo \$($B run --isolation oci $c -- sh -c '$bit') \$($B run --isolation oci --cap-add CAP_SYS_TIME $c -- sh -c '$bit')"
cell '--network none has nothing but lo' $'lo\nits own' run "$c" -- sh -c 'ls /sys/class/net; [ "$(readlink /proc/self/ns/net)" = "$0" ] || echo its own' "$(readlink /proc/self/ns/net)"
cell '--network host' "$(readlink /proc/self/ns/net | sed 's/[][]/\\&/g')" b run --isolation oci --network host "$c" -- readlink /proc/self/ns/net
cell 'the process is the first of its pid namespace' '1' run "$c" -- sh -c 'echo $$'
cell '--hostname' 'box7' run --hostname box7 "$c" -- hostname
cell 'the seccomp profile is on' 'Seccomp:	2' run "$c" -- grep Seccomp: /proc/self/status
# buildah 1.28 asks for ambient capabilities that are not inheritable; that they cannot be raised MUST be logged (config.md).
terminal() { on_terminal "$B run --isolation oci --tty $c -- sh -c 'sleep 0.5; tty; stty size'" | grep -v 'warning: process.capabilities.ambient'; }
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
stages() {
  printf 'FROM localhost/box:1 AS first\nARG WHAT=none\nRUN echo $WHAT >/made\nFROM localhost/box:1\nENV KEY=value\nWORKDIR /tmp\nCOPY --from=first /made /made\nRUN --mount=type=tmpfs,target=/t echo "$(cat /made) $KEY $PWD $(grep -c " /t tmpfs" /proc/mounts)" >/all\nSHELL ["/bin/sh", "-ec"]\nRUN false || echo shell >>/all\n' >"$WORK/Dockerfile"
  b bud -q --isolation oci --network none --build-arg WHAT=arg -t staged -f "$WORK/Dockerfile" "$WORK" >/dev/null || return
  local n; n=$(b from localhost/staged) && run "$n" -- cat /all; b rm "$n" >/dev/null
}
cell 'stages, arguments, mounts, working directory' $'arg value /tmp 1\nshell' stages
limited() {
  cat >"$WORK/Dockerfile" <<'FILE'
FROM localhost/box:1
RUN d=/c/memory$(sed -n 's/.*memory://p' /proc/self/cgroup); [ -d /c/memory ] || d=$(for f in $(find /c -name cgroup.procs); do grep -qx $$ $f && echo ${f%/*}; done); cat $d/memory.limit_in_bytes $d/memory.max 2>/dev/null >/seen; [ -s /seen ]
RUN d=/c/cpu$(sed -n 's/.*:cpu://p' /proc/self/cgroup); [ -d /c/cpu ] || d=$(for f in $(find /c -name cgroup.procs); do grep -qx $$ $f && echo ${f%/*}; done); cat $d/cpu.shares $d/cpu.weight 2>/dev/null >>/seen; ulimit -n >>/seen
FILE
  b bud -q --isolation oci --network none --memory 64m --cpu-shares 512 --ulimit nofile=512:512 --volume /sys/fs/cgroup:/c:ro -t limited -f "$WORK/Dockerfile" "$WORK" >/dev/null || return
  local n; n=$(b from localhost/limited) && run "$n" -- cat /seen; b rm "$n" >/dev/null
}
cell 'build --memory --cpu-shares --ulimit' $'67108864\n(512|20|59)\n512' limited
mapped() {
  printf 'FROM localhost/box:1\nRUN tr -s " " </proc/self/uid_map >/map && touch /mine && stat -c %%u /mine >>/map\n' >"$WORK/Dockerfile"
  b bud -q --isolation oci --network none --userns-uid-map 0:100000:65536 --userns-gid-map 0:100000:65536 -t mapped -f "$WORK/Dockerfile" "$WORK" >/dev/null || return
  local n; n=$(b from localhost/mapped) && run "$n" -- cat /map; b rm "$n" >/dev/null
}
cell 'build in a user namespace' $' 0 100000 65536\n0' mapped
interrupted() { # Ctrl-C on a build that hangs: nothing of it stays
  printf 'FROM localhost/box:1\nRUN sleep 7001\n' >"$WORK/Dockerfile"
  buildah --root "$WORK/root" --runroot "$WORK/runroot" bud -q --isolation oci --network none -f "$WORK/Dockerfile" "$WORK" >/dev/null 2>&1 & local pid=$!
  eventually pgrep -fx 'sleep 7001' && echo ran; sleep 1 # buildah is on its way from start to waiting
  kill -TERM $pid; wait $pid; eventually sh -c '! pgrep -fx "sleep 7001"' && echo gone
}
cell 'a build that is told to end' $'ran\ngone' interrupted
failing() { printf 'FROM localhost/box:1\nRUN exit 9\n' >"$WORK/Dockerfile"; b bud -q --isolation oci --network none -f "$WORK/Dockerfile" "$WORK" >/dev/null 2>&1; echo "status $?"; }
cell 'a failing RUN fails the build' 'status 9' failing
engine_end
