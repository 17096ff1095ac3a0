#!/usr/bin/env bash
# Checkpoint and restore through CRIU: the runtime by itself, podman and containerd. In the virtual machine, for CRIU and this machine's
# kernel do not get on:
#   RUNTIME=dist/tsrun conformance/vm/run.sh --timeout 3000 -- bash conformance/engines/checkpoint.sh [direct|podman|containerd|all]
# With run.sh --systemd podman has systemd's cgroups.
NO_ISOLATION=yes
. "$(dirname "$(readlink -f "$0")")/lib.sh"
RUNTIME=$(readlink -f "$(command -v "${RUNTIME:-$here/../../dist/tsrun}")")
engine_main "$@"
set -u
part=${1:-all}
export LC_ALL=C
command -v criu >/dev/null || { echo '1..0 # SKIP criu is not installed'; exit 0; }
criu check --feature mem_dirty_track >/dev/null 2>&1 || { echo '1..0 # SKIP this kernel cannot track memory for CRIU; see conformance/vm'; exit 0; }
ENGINE_OWN='libpod-[0-9a-f]{64}|cell-'
PAYLOAD='i=0; while :; do i=$((i+1)); echo $i >/count; sleep 0.1; done'

rt() { timeout -k 5 120 "$RUNTIME" "$@"; }
make_rootfs "$WORK/rootfs"
# bundle NAME COMMAND [JQ-FILTER]: a bundle with a root of its own
bundle() {
  local dir=$WORK/$1
  mkdir -p "$dir" && cp -a "$WORK/rootfs" "$dir/rootfs" && (cd "$dir" && "$RUNTIME" spec) || return
  jq --arg command "$2" --arg path "/cell-$1" '.process.terminal = false | .process.args = ["sh", "-c", $command] | .root.readonly = false
    | .linux.cgroupsPath = $path | '"${3:-.}" "$dir/config.json" >"$dir/new" && mv "$dir/new" "$dir/config.json"
}
start() { rt run -d --bundle "$WORK/$1" --pid-file "$WORK/$1/pid" "cell-$1" </dev/null >/dev/null 2>&1; }
count() { cat "$WORK/$1/rootfs/count" 2>/dev/null || echo 0; }
counts() { [ "$(count "$1")" -gt "${2:-0}" ]; }
dump() { local name=$1; shift; rt checkpoint --image-path "$WORK/$name/image" --work-path "$WORK/$name/work" "$@" "cell-$name"; }
back() { local name=$1; shift; rt restore -d --bundle "$WORK/$name" --image-path "$WORK/$name/image" --work-path "$WORK/$name/work" "$@" "cell-$name" </dev/null >/dev/null; }
status() { rt state "cell-$1" 2>/dev/null | jq -r .status; }
# Its memory is the number: a process that was started anew would begin at 1.
goes_on() { local before=$2; eventually counts "$1" "$before" && [ "$(count "$1")" -lt $((before + 500)) ]; }
finish() { rt delete --force "cell-$1" >/dev/null 2>&1; rm -rf "${WORK:?}/$1"; }

direct() {
  local before
  bundle one "$PAYLOAD" '.linux.resources.pids.limit = 44 | .hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "echo hook >>'"$WORK"'/one/hooks"]}]'
  start one && eventually counts one 5
  cell 'checkpoint' '' dump one
  cell 'it deletes the container' '' status one
  before=$(count one)
  restored() { back one --pid-file "$WORK/one/pid2" && echo "$(status one) $([ "$(cat "$WORK/one/pid2")" = "$(rt state cell-one | jq .pid)" ] && echo same)"; }
  cell 'restore -d: running, and the pid file' 'running same' restored
  cell 'memory has survived' '' goes_on one "$before"
  cell 'exec in a restored container' '1 hello' rt exec cell-one sh -c 'echo $(ls -d /proc/1 | wc -l) hello'
  cell 'limits are those of the config' '44' cat "/sys/fs/cgroup/cell-one/pids.max"
  cell 'its processes are in its cgroup' '/cell-one' eval 'sed "s/.*::\(\/cell-one\).*/\1/" "/proc/$(cat "$WORK/one/pid2")/cgroup"'
  cell 'hooks run again' $'hook\nhook' cat "$WORK/one/hooks"
  cell 'nothing of it is mounted on the host' '0' eval 'grep -c criu /proc/self/mountinfo; :'
  # runc leaves it down
  [ "$NAME" != tsrun ] || cell 'its own network has a loopback that is up' '1' rt exec cell-one sh -c 'ip link show lo | grep -c LOOPBACK,UP'
  cell '--leave-running' 'running' eval 'dump one --leave-running && status one'
  before=$(count one)
  cell 'it has left it running' '' goes_on one "$before"
  again() { rt pause cell-one && rm -rf "$WORK/one/image" && dump one && status one; }
  cell 'a paused container' '' again
  cell 'kill and delete after a restore' '' eval 'back one && rt kill cell-one KILL && eventually [ "$(status one)" = stopped ] && rt delete cell-one && status one'
  finish one

  bundle two "$PAYLOAD"
  start two && eventually counts two 5
  cell '--pre-dump leaves it running' 'running' eval 'rt checkpoint --pre-dump --image-path "$WORK/two/pre" cell-two && status two'
  absolute() { dump two --parent-path "$WORK/two/pre" 2>&1 | grep -o 'parent-path'; status two; }
  cell '--parent-path must be relative' $'(parent-path\n)+running' absolute
  cell '--parent-path' $'parent -> ../pre' eval 'dump two --parent-path ../pre && ls -l "$WORK/two/image/parent" | grep -o "parent -> .*"'
  before=$(count two)
  cell 'restore from both' '' eval 'back two && goes_on two '"$before"
  finish two

  # Standard streams into a file of the host cannot be saved.
  bundle three 'echo $$; '"$PAYLOAD"
  rt run -d --bundle "$WORK/three" cell-three </dev/null >"$WORK/three/out" 2>/dev/null && eventually counts three 5
  cell -s 1 'a failing checkpoint' '' dump three
  reason() { dump three 2>&1 >/dev/null; rt --log "$WORK/three/log" --log-format json checkpoint --image-path "$WORK/three/i2" cell-three 2>/dev/null; jq -r 'select(.level == "error") | .msg' "$WORK/three/log"; }
  [ "$NAME" != tsrun ] || cell 'it says why, with the errors of the log' "(.|\n)*Can't lookup mount=.* path=.*/three/out(.|\n)*" reason
  before=$(count three)
  cell 'it has left it running, too' '' goes_on three "$before"
  finish three

  bundle stop "$PAYLOAD"
  start stop && eventually counts stop 5
  interrupted() {
    timeout -k 5 120 "$RUNTIME" checkpoint --image-path "$WORK/stop/image" --work-path "$WORK/stop/work" cell-stop 2>/dev/null &
    eventually test -s "$WORK/stop/work/dump.log"
    kill -TERM "$(pgrep -P $! | head -n 1)"
    wait $! && return
    sleep 2
    local now
    now=$(count stop)
    goes_on stop "$now" && status stop
  }
  [ "$NAME" != tsrun ] || cell 'interrupted by a signal, it leaves it running' 'running' interrupted
  finish stop

  if criu check --feature uffd-noncoop >/dev/null 2>&1; then
    bundle lazy "$PAYLOAD"
    start lazy && eventually counts lazy 5
    lazily() {
      mkfifo "$WORK/lazy/ready" && exec {ready}<>"$WORK/lazy/ready"
      timeout -k 5 120 "$RUNTIME" checkpoint --lazy-pages --page-server 127.0.0.1:27277 --status-fd $ready --image-path "$WORK/lazy/image" --work-path "$WORK/lazy/work" cell-lazy 2>"$WORK/lazy/err" &
      local dumping=$! daemon
      timeout 60 head -c 1 <&$ready | od -An -tx1
      exec {ready}>&-
      criu lazy-pages --page-server --address 127.0.0.1 --port 27277 -D "$WORK/lazy/image" -W "$WORK/lazy/work" >/dev/null 2>&1 &
      daemon=$!
      eventually test -S "$WORK/lazy/work/lazy-pages.socket"
      jq '.linux.cgroupsPath = "/cell-lazy2"' "$WORK/lazy/config.json" >"$WORK/new" && cp "$WORK/new" "$WORK/lazy/config.json"
      rt restore -d --lazy-pages --bundle "$WORK/lazy" --image-path "$WORK/lazy/image" --work-path "$WORK/lazy/work" cell-lazy2 </dev/null >/dev/null || return
      wait $dumping; echo "dump $?"; wait $daemon; echo "pages $?"
      rt state cell-lazy2 | jq -r .status
    }
    cell '--lazy-pages with --page-server and --status-fd' $' 00\ndump 0\npages 0\nrunning' lazily
    cell 'the dumped one is deleted then' '' status lazy
    rt delete --force cell-lazy2 >/dev/null 2>&1
    finish lazy
  fi

  # Pipes are replaced by the caller's. The FIFO is what CRIU may find on both ends.
  bundle four 'while read line; do echo "got $line"; done; exit 7'
  pipes() {
    local in out
    mkfifo "$WORK/four/keep"
    exec {keep}<>"$WORK/four/keep"
    rt run -d --bundle "$WORK/four" cell-four < <(exec sleep 1000) > >(cat >"$WORK/four/first") 2>&1
    sleep 0.5
    dump four || return
    printf 'one\ntwo\n' | timeout 60 "$RUNTIME" restore --bundle "$WORK/four" --image-path "$WORK/four/image" --work-path "$WORK/four/work" cell-four 2>"$WORK/four/err" | cat
    echo "${PIPESTATUS[1]}"
    exec {keep}>&-
  }
  cell 'restore in the foreground: new pipes, exit status' $'got one\ngot two\n7' pipes
  cell 'nothing of it is left' '' eval 'status four; ls -d /sys/fs/cgroup/cell-four 2>/dev/null; :'
  finish four

  mkdir -p "$WORK/ro" "$WORK/rw" && echo data >"$WORK/ro/file" && chmod 755 "$WORK/ro" "$WORK/rw"
  bundle five "$PAYLOAD" '.mounts += [{destination: "/ro", type: "bind", source: "'"$WORK"'/ro", options: ["rbind", "ro"]}, {destination: "/rw/deep", type: "bind", source: "'"$WORK"'/rw", options: ["rbind"]}]
    | .linux.namespaces |= map(if .type == "network" then .path = "/run/netns/cell" else . end)'
  ip netns add cell
  start five && eventually counts five 5
  cell 'bind mounts and a joined network: checkpoint' '' dump five
  rm -rf "$WORK/five/rootfs/rw" "$WORK/five/rootfs/ro" # restored into a root that never saw them, as podman's --import does
  cell 'restore makes the places to mount on' '' back five
  cell 'binds are there, read-only where they were' $'data\nro\nrw' rt exec cell-five sh -c 'cat /ro/file; touch /ro/x 2>/dev/null || echo ro; touch /rw/deep/x && echo rw'
  network() { [ "$(readlink "/proc/$(rt state cell-five | jq .pid)/ns/net")" = "net:[$(stat -Lc %i /run/netns/cell)]" ]; }
  cell 'it is in the same network' '' network
  # security.md S52: the image's word against the config's.
  if [ "$NAME" = tsrun ]; then
    dump five >/dev/null
    jq '(.mounts[] | select(.destination == "/rw/deep") | .options) += ["ro"]' "$WORK/five/config.json" >"$WORK/new" && cp "$WORK/new" "$WORK/five/config.json"
    refused() { back five 2>&1; echo "$?"; status five; ls -d /sys/fs/cgroup/cell-five /run/tsrun/cell-five 2>/dev/null; :; }
    cell 'S52: an image cannot make a read-only bind writable' "tsrun restore cell-five: mounts\[[0-9]+\] \(/mounts/[0-9]+\): '/rw/deep' is writable in the container, and read-only in the config.*"$'\n1' refused
    jq 'del(.mounts[] | select(.destination == "/ro"))' "$WORK/five/config.json" >"$WORK/new" && cp "$WORK/new" "$WORK/five/config.json"
    cell 'S52: an image cannot bind what the config does not list' $'tsrun restore cell-five: .*No mapping for .* mountpoint.*\n1' refused
    bundle link "$PAYLOAD" '.mounts += [{destination: "/conf", type: "bind", source: "'"$WORK"'/ro", options: ["bind"]}]'
    mkdir "$WORK/link/rootfs/real" && ln -s /real "$WORK/link/rootfs/conf"
    start link && eventually counts link 5
    symlinked() { dump link 2>&1; echo "$?"; status link; }
    cell 'S52: a destination behind a link is refused, by its key' $'tsrun checkpoint cell-link: mounts\[[0-9]+\] \(/mounts/[0-9]+\): nothing is mounted on \'/conf\'.*\n1\nrunning' symlinked
    finish link
  fi
  finish five
  ip netns del cell

  bundle six "$PAYLOAD" '.annotations["org.criu.config"] = "'"$WORK"'/criu.conf"'
  echo 'log-file=other.log' >"$WORK/criu.conf"
  start six && eventually counts six 5
  cell 'org.criu.config' 'other.log' eval 'dump six && ls "$WORK/six/work" | grep log'
  cell -s 1 'no image: an error' '' rt restore -d --bundle "$WORK/six" --image-path "$WORK/nowhere" cell-six
  cell 'and nothing is left' '' status six
  finish six

  bundle seven 'sleep 1000' '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{type: "user"}]'
  chown -R 100000:100000 "$WORK/seven/rootfs"
  start seven
  cell 'a user namespace' '0 100000 65536' eval 'dump seven && back seven && rt exec cell-seven cat /proc/self/uid_map | xargs echo'
  finish seven
}

podman_part() {
  local manager=cgroupfs
  [ "$(cat /proc/1/comm)" != systemd ] || manager=systemd
  cat >"$WORK/containers.conf" <<CONF
[containers]
log_driver = "k8s-file"
[engine]
cgroup_manager = "$manager"
events_logger = "file"
runtime = "$RUNTIME"
runtime_supports_json = ["crun", "runc", "$NAME"]
CONF
  export CONTAINERS_CONF=$WORK/containers.conf
  p() { timeout -k 5 180 podman --root "$WORK/root" --runroot "$WORK/runroot" --tmpdir "$WORK/libpod" --runtime "$RUNTIME" "$@"; }
  engine_stop() { p rm -fa -t 0 >/dev/null 2>&1; engine_remove; }
  tar -C "$WORK/rootfs" -cf - . | p import - box >/dev/null 2>"$WORK/err" || { cat "$WORK/err"; echo "Bail out! podman cannot import an image"; exit 2; }
  # The count goes to the log, through conmon's pipe.
  counting='i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done'
  last() { p logs "$1" 2>/dev/null | tail -n 1 | tr -d '\r'; }
  beyond() { [ "$(last "$1")" -gt "$2" ]; }
  inspected() { p inspect --format '{{.State.Status}}' "$1"; }
  p run -d --name pod1 --network none box sh -c "$counting" >/dev/null
  eventually beyond pod1 3
  cell 'podman container checkpoint' 'exited' eval 'p container checkpoint pod1 >/dev/null && inspected pod1'
  at=$(last pod1)
  cell 'podman container restore' 'running' eval 'p container restore pod1 >/dev/null && inspected pod1'
  cell 'podman: memory has survived' '' eventually beyond pod1 "$at"
  cell 'podman exec in it' 'hello' p exec pod1 echo hello
  cell 'podman checkpoint --leave-running --export' 'running' eval 'p container checkpoint --leave-running --export "$WORK/pod1.tar.gz" pod1 >/dev/null && inspected pod1'
  p rm -f -t 0 pod1 >/dev/null
  cell 'podman restore --import --name' 'running' eval 'p container restore --import "$WORK/pod1.tar.gz" --name pod2 >/dev/null && inspected pod2'
  cell 'podman: the imported one counts on' '' eventually beyond pod2 3
  cell 'podman checkpoint --keep --print-stats' '(.|\n)*runtime_checkpoint_duration(.|\n)*' p container checkpoint --keep --print-stats pod2
  cell 'podman restore --keep --print-stats' '(.|\n)*runtime_restore_duration(.|\n)*' p container restore --keep --print-stats pod2
  cell 'podman checkpoint --pre-checkpoint' 'running' eval 'p container checkpoint --pre-checkpoint --export "$WORK/pre.tar.gz" pod2 >/dev/null && inspected pod2'
  cell 'podman checkpoint --with-previous' 'exited' eval 'p container checkpoint --with-previous --export "$WORK/with.tar.gz" pod2 >/dev/null && inspected pod2'
  p rm -f -t 0 pod2 >/dev/null
  cell 'podman restore --import-previous' 'running' eval 'p container restore --import-previous "$WORK/pre.tar.gz" --import "$WORK/with.tar.gz" --name pod3 >/dev/null && inspected pod3'
  cell 'podman stop, rm of a restored one' '' eval 'p stop -t 1 pod3 >/dev/null && p rm pod3 >/dev/null'
  p run -d --name tty -t --network none box sh -c "$counting" >/dev/null
  eventually beyond tty 3
  cell 'podman: a terminal' 'running' eval 'p container checkpoint tty >/dev/null && p container restore tty >/dev/null && inspected tty'
  at=$(last tty)
  cell 'podman: and it is written to' '' eventually beyond tty "${at:-0}"
  p rm -fa -t 0 >/dev/null 2>&1
}

containerd_part() {
  printf 'version = 2\nroot = "%s"\nstate = "%s"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "%s"\n' "$WORK/croot" "$WORK/cstate" "$WORK/containerd.sock" >"$WORK/config.toml"
  containerd --config "$WORK/config.toml" >"$WORK/containerd.log" 2>&1 &
  daemon=$!
  c() { timeout -k 5 180 ctr --address "$WORK/containerd.sock" "$@"; }
  engine_rest() { end_daemon "$daemon"; }
  engine_stop() {
    for id in $(c task ls -q 2>/dev/null); do c task delete --force "$id"; done >/dev/null 2>&1
    engine_rest
    engine_remove
  }
  eventually c version || { tail -5 "$WORK/containerd.log"; echo "Bail out! containerd does not answer"; exit 2; }
  image=localhost/box:1
  make_image "$WORK/rootfs" "$WORK/box.tar" $image
  c image import "$WORK/box.tar" >/dev/null || { echo "Bail out! no image"; exit 2; }
  # containerd may take the default runtime for a restored container, and nobody would notice.
  by() { [ "$NAME" != tsrun ] || [ -e "/run/containerd/runc/default/$1/provisional.json" ] || echo 'not by tsrun'; }
  task() { c task ls | awk -v id="$1" '$1 == id { print $3 }'; }
  c run -d --runc-binary "$RUNTIME" --log-uri "file://$WORK/c1.log" $image c1 sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done'
  mkdir -p "$WORK/cimage" "$WORK/cwork"
  cell 'ctr task checkpoint leaves it running' $'RUNNING\ndescriptors.json' eval 'c task checkpoint --image-path "$WORK/cimage" --work-path "$WORK/cwork" c1 >/dev/null; task c1; ls "$WORK/cimage" | grep desc'
  cell 'ctr container checkpoint --task' '' eval 'c container checkpoint --rw --image --task c1 localhost/saved:1 >/dev/null && c task kill -s KILL c1 && sleep 1; c task delete c1 >/dev/null 2>&1; c container rm c1'
  cell 'ctr container restore --live' 'RUNNING' eval 'c container restore --live c2 localhost/saved:1 >/dev/null 2>"$WORK/restore.err" || cat "$WORK/restore.err" "$WORK"/cstate/io.containerd.runtime.v2.task/default/c2/log.json 2>/dev/null; task c2; by c2'
  cell 'ctr exec in it' 'hello' c task exec --exec-id e1 c2 echo hello
  c task kill -s KILL c2 >/dev/null 2>&1; sleep 1
  cell 'ctr task delete, container rm' '' eval 'c task delete c2 >/dev/null 2>&1; c container rm c2'
}

case $part in direct | all | core) direct ;; esac
case $part in podman | all) podman_part ;; esac
case $part in containerd | all) containerd_part ;; esac
engine_end
