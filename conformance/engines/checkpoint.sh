#!/usr/bin/env bash
# Checkpoint and restore through CRIU: the runtime by itself, podman and containerd. In the virtual machine, for CRIU and this machine's
# kernel do not get on:
#   RUNTIME=dist/tsrun conformance/vm/run.sh --timeout 3000 -- bash conformance/engines/checkpoint.sh [all|short|PART...]
# Parts: direct inside podman containerd. "short" is what a user needs of each.
# With run.sh --systemd podman has systemd's cgroups.
NO_ISOLATION=yes
. "$(dirname "$(readlink -f "$0")")/lib.sh"
RUNTIME=$(readlink -f "$(command -v "${RUNTIME:-$here/../../dist/tsrun}")")
PARTS='all short direct inside podman containerd'
engine_main "$@"
set -u
parts=${*:-all}
export LC_ALL=C
command -v criu >/dev/null || { echo '1..0 # SKIP criu is not installed'; exit 0; }
criu check --feature mem_dirty_track >/dev/null 2>&1 || { echo '1..0 # SKIP this kernel cannot track memory for CRIU; see conformance/vm'; exit 0; }
[ "$NAME" != crun ] || [[ $("$RUNTIME" --version) = *+CRIU* ]] || { echo '1..0 # SKIP Debian builds crun without CRIU'; exit 0; }
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

in_part() { [ "$parts" != short ]; } # after the cells that "short" has
. "$here/checkpoint-direct.sh"
. "$here/checkpoint-inside.sh"

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
  engine_rest() { p rm -fa -t 0 >/dev/null 2>&1; }
  engine_stop() { engine_rest; engine_remove; }
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
  in_part || return 0
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
  stopped() { [ "$(task "$1")" = STOPPED ]; }
  c run -d --runc-binary "$RUNTIME" --log-uri "file://$WORK/c1.log" $image c1 sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done'
  mkdir -p "$WORK/cimage" "$WORK/cwork"
  cell 'ctr task checkpoint leaves it running' $'RUNNING\ndescriptors.json' eval 'c task checkpoint --image-path "$WORK/cimage" --work-path "$WORK/cwork" c1 >/dev/null; task c1; ls "$WORK/cimage" | grep desc'
  cell 'ctr container checkpoint --task' '' eval 'c container checkpoint --rw --image --task c1 localhost/saved:1 >/dev/null && c task kill -s KILL c1 && eventually stopped c1; c task delete c1 >/dev/null 2>&1; c container rm c1'
  cell 'ctr container restore --live' 'RUNNING' eval 'c container restore --live c2 localhost/saved:1 >/dev/null 2>"$WORK/restore.err" || cat "$WORK/restore.err" "$WORK"/cstate/io.containerd.runtime.v2.task/default/c2/log.json 2>/dev/null; task c2; by c2'
  cell 'ctr exec in it' 'hello' c task exec --exec-id e1 c2 echo hello
  c task kill -s KILL c2 >/dev/null 2>&1; eventually stopped c2
  cell 'ctr task delete, container rm' '' eval 'c task delete c2 >/dev/null 2>&1; c container rm c2'
}

case $parts in short) wanted_parts='direct podman containerd' ;; all) wanted_parts='direct inside podman containerd' ;; *) wanted_parts=$parts ;; esac
for part in $wanted_parts; do
  "${part}_part"
  engine_rest
  nothing_left "$part: leaves nothing behind"
done
engine_end looked
