#!/usr/bin/env bash
# containerd (ctr and the runc v2 shim) with one runtime: RUNTIME=/path/to/runtime bash conformance/engines/containerd.sh [core|all]
# Needs root, containerd, busybox-static and script. A daemon of its own in a temporary folder; nothing is downloaded.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
PARTS='core all'
engine_main "$@"
set -u
part=${1:-all}
# The shim makes the namespace's parent cgroup through the runtime and nobody removes it.
ENGINE_CGROUPS='default|elsewhere' ENGINE_STATES='/run/containerd/runc/*/*'

cat >"$WORK/config.toml" <<CONF
version = 2
root = "$WORK/root"
state = "$WORK/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "$WORK/containerd.sock"
[plugins."io.containerd.runtime.v1.linux"]
  runtime = "$RUNTIME"
CONF
daemon_start() { # its PATH is daemon_path, by default ours
  PATH=${daemon_path:-$PATH} /usr/bin/containerd --config "$WORK/config.toml" >>"$WORK/containerd.log" 2>&1 &
  daemon=$!
  eventually c version || { tail -5 "$WORK/containerd.log"; echo "Bail out! containerd does not answer"; exit 2; }
}
c() { timeout -k 5 $deadline ctr --address "$WORK/containerd.sock" "$@"; }
C="timeout -k 5 $deadline ctr --address $WORK/containerd.sock"
engine_stop() {
  local id
  for id in $(c task ls -q 2>/dev/null); do c task delete --force "$id"; done >/dev/null 2>&1
  engine_rest
  engine_remove
}
engine_rest() { end_daemon "$daemon"; }
daemon_start
containerd=$(major containerd --version)
image=localhost/box:1
make_rootfs "$WORK/rootfs"
make_image "$WORK/rootfs" "$WORK/box.tar"
c image import "$WORK/box.tar" >/dev/null || { echo "Bail out! no image"; exit 2; }

R="--runc-binary $RUNTIME"
count=0
run() { count=$((count + 1)); c run --rm $R "$@"; } # run [FLAG...] IMAGE ID COMMAND...: the image and an id are put in at @
at() { # splits "FLAGS @ COMMAND" so that cells need no ids
  local flags=() id=c$RANDOM$RANDOM
  while [ "$1" != @ ]; do flags+=("$1"); shift; done
  shift
  run "${flags[@]}" $image "$id" "$@"
}
start() { local id=$1; shift; local flags=(); while [ "$1" != @ ]; do flags+=("$1"); shift; done; shift; c run -d $R "${flags[@]}" --log-uri "file://$WORK/$id.log" $image "$id" "$@"; }
finish() { c task delete --force "$1" >/dev/null 2>&1; c container rm "$1" >/dev/null 2>&1; }
said() { grep -q "$2" "$WORK/$1.log"; }
status() { c task ls | awk -v id="$1" '$1 == id { print $3 }'; }
is() { [ "$(status "$1")" = "$2" ]; }
memory=$(limit memory.limit_in_bytes memory.max)

cell 'run prints' 'hello' at @ echo hello
cell -s 42 'exit status passes through' '' at @ sh -c 'exit 42'
missing() { at @ /bin/no-such-program 2>&1 | grep -oE 'no-such-program.*(no such file or directory|not found)' | tail -1; }
cell 'a program that is not there' 'no-such-program.*' missing
plain() { at @ /bin/plain 2>&1 | grep -oiE 'permission denied' | tail -1; }
cell 'a file that is no program' '[Pp]ermission denied' plain
cell 'stdout and stderr stay apart' 'out' at @ sh -c 'echo out; echo err >&2'
from_stdin() { echo some data | at @ head -n 1; } # ctr 1.6 does not pass the end of stdin on
cell 'stdin' 'some data' from_stdin
terminal() { on_terminal "$C run --rm -t $R $image t$RANDOM sh -c 'tty; sleep 0.5; stty size; ls -l /dev/console | cut -c1'"; }
cell 'run -t under a pty' $'/dev/pts/0\n40 100\nc' terminal
detached() {
  start d1 @ sh -c 'echo working; sleep 100' && eventually said d1 working && status d1
  c task kill -s SIGKILL d1 && eventually is d1 STOPPED && status d1
  c task delete d1 2>&1 | grep -o 'exit[a-z ]*[0-9]*' ; c container rm d1
}
cell -s 0 'run -d, kill -s SIGKILL, delete' $'RUNNING\nSTOPPED.*' detached
told() {
  start d2 @ sh -c 'trap "echo told; exit 7" TERM; echo ready; while :; do sleep 0.1; done' && eventually said d2 ready || return
  c task kill d2 && eventually is d2 STOPPED; c task delete d2 2>&1 | grep -o 'code [0-9]*'; cat "$WORK/d2.log"; c container rm d2
}
cell 'kill sends TERM; the exit status comes back' $'code 7\nready\ntold' told
deleted_running() { start d3 @ sleep 100 || return; c task delete d3 >/dev/null 2>&1 && echo deleted; status d3; finish d3; }
cell 'delete of a running task is refused' 'RUNNING' deleted_running
killed_dead() { start d4 @ true && eventually is d4 STOPPED && c task kill d4 2>&1 | grep -oE 'not found|already finished'; finish d4; }
cell 'kill of a stopped task: not found' '(not found|already finished).*' killed_dead
twice() { c run $R $image d6 echo x && c task rm d6 2>/dev/null; c task start d6; finish d6; }
cell 'the same container starts twice' $'x\nx' twice
pid_file() { start d7 --pid-file "$WORK/d7.pid" @ sleep 100 && [ "$(cat "$WORK/d7.pid")" = "$(c task ls | awk '$1 == "d7" { print $2 }')" ] && tr '\0' ' ' <"/proc/$(cat "$WORK/d7.pid")/cmdline"; finish d7; }
cell '--pid-file names the first process' 'sleep 100 ' pid_file

cell '--memory-limit' '67108864' at --memory-limit 67108864 --mount "type=bind,src=/sys/fs/cgroup,dst=/c,options=rbind:ro" @ sh -c 'd=$(sed -n "s/.*memory:\|^0:://p" /proc/self/cgroup | head -1); cat /c/memory$d/memory.limit_in_bytes 2>/dev/null || cat /c$d/memory.max'
cell '--cpus' '50000|50000 100000' at --cpus 0.5 --mount "type=bind,src=/sys/fs/cgroup,dst=/c,options=rbind:ro" @ sh -c 'd=$(grep -E "^[0-9]+:cpu:|^0::" /proc/self/cgroup | head -1 | cut -d: -f3); cat /c/cpu$d/cpu.cfs_quota_us 2>/dev/null || cat /c$d/cpu.max'
cell '--cgroup' '.*/elsewhere/here.*' at --cgroup /elsewhere/here @ grep -m1 elsewhere /proc/self/cgroup
cell '--seccomp' 'Seccomp:	2' at --seccomp @ grep Seccomp: /proc/self/status
cell 'no seccomp' 'Seccomp:	0' at @ grep Seccomp: /proc/self/status
cell '--privileged' '.*CapEff:	000001[0-9a-f]+.*' at --privileged @ grep CapEff /proc/self/status
cell 'no new privileges, unless allowed' 'NoNewPrivs:	1' at @ grep NoNewPrivs /proc/self/status
cell '--allow-new-privs' 'NoNewPrivs:	0' at --allow-new-privs @ grep NoNewPrivs /proc/self/status
cell '--read-only' '.*Read-only file system' at --read-only @ sh -c 'touch /file 2>&1; :'
cell '--cap-drop' '.*Operation not permitted' at --cap-drop CAP_CHOWN @ sh -c 'chown 5 /etc/passwd 2>&1; :'
cell '--cap-add' '1' at --cap-add CAP_SYS_TIME @ sh -c 'c=0x$(sed -n "s/CapEff:.//p" /proc/self/status); echo $((c >> 25 & 1))'
cell '--env, --cwd' '/tmp value' at --env KEY=value --cwd /tmp @ sh -c 'echo $PWD $KEY'
mkdir -p "$WORK/shared"; echo from outside >"$WORK/shared/in"
cell '--mount' 'from outside' at --mount "type=bind,src=$WORK/shared,dst=/data,options=rbind:ro" @ cat /data/in
# The shim mounts the root file system below the daemon's state folder; as on a host with systemd, that is a shared mount here.
mount --bind "$WORK/state" "$WORK/state" && mount --make-shared "$WORK/state"
root_of() { at "$@" @ sed -n 's/.* \/ \/ [^ ]* \(.*\)- .*/[\1]/p' /proc/self/mountinfo; }
cell '--rootfs-propagation rslave' '\[master:[0-9]+ ]' root_of --rootfs-propagation rslave
cell '--rootfs-propagation rshared' '\[shared:[0-9]+ ]' root_of --rootfs-propagation rshared
cell '--rootfs-propagation rprivate' '\[]' root_of --rootfs-propagation rprivate
umount "$WORK/state"
cell '--rootfs' 'hello' c run --rm $R --rootfs "$WORK/rootfs" folder /bin/echo hello
own_spec() { (cd "$WORK" && "$RUNTIME" spec && jq '.process.terminal = false | .process.args = ["sh", "-c", "hostname; cat /proc/self/loginuid >/dev/null; ls /"] | .root.path = "'"$WORK"'/rootfs" | .hostname = "of-spec"' config.json >own.json && rm config.json) && c run --rm $R --config "$WORK/own.json" spec | head -n 2; }
cell "--config: the runtime's own 'spec'" $'of-spec\nbin' own_spec
cell '--device' 'c' at --device /dev/fuse @ sh -c 'ls -l /dev/fuse | cut -c1'
printf 'KEY=from file\n' >"$WORK/env"
cell '--env-file' 'from file' at --env-file "$WORK/env" @ sh -c 'echo $KEY'
cell '--net-host' "$(readlink /proc/self/ns/net | sed 's/[][]/\\&/g')" at --net-host @ readlink /proc/self/ns/net
cell '--annotation' 'hello' at --annotation a.b/c=d @ echo hello
joined() { start d8 @ sleep 100 || return; local pid; pid=$(c task ls | awk '$1 == "d8" { print $2 }'); at --with-ns "network:/proc/$pid/ns/net" @ readlink /proc/self/ns/net; readlink "/proc/$pid/ns/net"; finish d8; }
same_line_twice() { "$@" | uniq -c | awk '{ print $1, "of", NR }'; }
cell '--with-ns joins a namespace' '2 of 1' same_line_twice joined
many() { local i pids=(); for i in $(seq "$1"); do at @ echo hi >>"$WORK/many" 2>&1 & pids+=($!); done; wait "${pids[@]}"; grep -c '^hi$' "$WORK/many"; }
cell '10 containers at once' '10' many 10
[ "$part" = core ] || { . "$here/containerd-more.sh"; . "$here/containerd-recovery.sh"; }
engine_end
