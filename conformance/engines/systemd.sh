#!/usr/bin/env bash
# podman and containerd with systemd's cgroups, in the virtual machine:
#   RUNTIME=dist/tsrun conformance/vm/run.sh --systemd --timeout 1800 -- conformance/engines/systemd.sh [core|all]
NO_ISOLATION=yes
. "$(dirname "$(readlink -f "$0")")/lib.sh"
[ "$(cat /proc/1/comm)" = systemd ] || { echo "systemd: this host does not run systemd; see conformance/vm" >&2; exit 77; }
RUNTIME=$(readlink -f "$(command -v "${RUNTIME:-$here/../../dist/tsrun}")")
engine_main "$@"
set -u
ENGINE_OWN='libpod-[0-9a-f]{64}|cri-containerd|rig-'

cat >"$WORK/containers.conf" <<CONF
[containers]
log_driver = "k8s-file"
[engine]
cgroup_manager = "systemd"
events_logger = "file"
runtime = "$RUNTIME"
runtime_supports_json = ["crun", "runc", "$NAME"]
CONF
export CONTAINERS_CONF=$WORK/containers.conf
p() { timeout -k 5 120 podman --root "$WORK/root" --runroot "$WORK/runroot" --tmpdir "$WORK/libpod" --runtime "$RUNTIME" "$@"; }
run() { p run --rm --network none "$@"; }
engine_stop() { p rm -fa -t 0 >/dev/null 2>&1; [ -z "${daemon:-}" ] || end_daemon "$daemon"; engine_remove; }
logs_have() { p logs "$1" 2>&1 | grep -q "$2"; }

make_rootfs "$WORK/rootfs"
tar -C "$WORK/rootfs" -cf - . | p import - box >/dev/null 2>"$WORK/err" || { cat "$WORK/err"; echo "Bail out! podman cannot import an image"; exit 2; }

cell 'run prints' 'hello' run box echo hello
cell -s 42 'exit status passes through' '' run box sh -c 'exit 42'
cell '--memory' '67108864' run --memory 64m box cat /sys/fs/cgroup/memory.max
cell '--cpus' '50000 100000' run --cpus 0.5 box cat /sys/fs/cgroup/cpu.max
cell '--pids-limit' '20' run --pids-limit 20 box cat /sys/fs/cgroup/pids.max
cell '--cpuset-cpus' 'Cpus_allowed_list:	1' run --cpuset-cpus 1 box grep Cpus_allowed_list /proc/self/status
id=$(p run -d --network none --memory 96m --cpus 0.25 --pids-limit 33 box sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.2; done')
eventually logs_have "$id" ready
property() { systemctl show -p "$1" --value "libpod-$id.scope"; }
cell 'a scope of systemd holds it' 'active' property ActiveState
cell 'in the slice of machines' '/machine.slice/libpod-.*\.scope' property ControlGroup
cell 'MemoryMax' '100663296' property MemoryMax
cell 'TasksMax' '33' property TasksMax
cell 'CPUQuotaPerSecUSec' '250ms' property CPUQuotaPerSecUSec
in_scope() { sed -n 's/^0:://p' "/proc/$(p inspect --format '{{.State.Pid}}' "$id")/cgroup"; }
cell 'its process is in the scope' '/machine.slice/libpod-.*\.scope(/container)?' in_scope
cell 'exec' 'hello' p exec "$id" echo hello
paused() { p pause "$id" >/dev/null && p inspect --format '{{.State.Status}}' "$id"; p unpause "$id" >/dev/null && p exec "$id" echo awake; }
cell 'pause, unpause' $'paused\nawake' paused
reloaded() { systemctl daemon-reload && sleep 1; cat "/sys/fs/cgroup$(property ControlGroup)/memory.max"; }
cell 'limits outlive daemon-reload' '100663296' reloaded
stopped() { p stop -t 5 "$id" >/dev/null; p inspect --format '{{.State.ExitCode}}' "$id"; p rm "$id" >/dev/null; }
cell 'stop' '7' stopped
cell 'the scope is gone' 'inactive' property ActiveState
devices() { run --cap-add mknod box sh -c 'mknod /d b 7 0 && head -c1 /d 2>&1; mknod /n c 1 3 && echo x >/n && echo null works'; }
cell 'devices are limited' $'.*Operation not permitted\nnull works' devices

if wanted containerd; then
  printf 'version = 2\nroot = "%s"\nstate = "%s"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "%s"\n' "$WORK/croot" "$WORK/cstate" "$WORK/containerd.sock" >"$WORK/config.toml"
  containerd --config "$WORK/config.toml" >"$WORK/containerd.log" 2>&1 &
  daemon=$!
  c() { timeout -k 5 120 ctr --address "$WORK/containerd.sock" "$@"; }
  eventually c version
  make_image "$WORK/rootfs" "$WORK/box.tar"
  c image import "$WORK/box.tar" >/dev/null
  systemd_run() { c run --rm --runc-binary "$RUNTIME" --runc-systemd-cgroup "$@"; }
  cell 'containerd: run in a slice' '.*/rig.slice/rig-a.scope' systemd_run --cgroup rig.slice:rig:a --memory-limit 67108864 --mount type=bind,src=/sys/fs/cgroup,dst=/c,options=rbind:ro localhost/box:1 a sh -c 'cat /proc/self/cgroup'
  cell 'containerd: --memory-limit' '67108864' systemd_run --cgroup rig.slice:rig:b --memory-limit 67108864 --mount type=bind,src=/sys/fs/cgroup,dst=/c,options=rbind:ro localhost/box:1 b sh -c 'cat /c/rig.slice/rig-b.scope/memory.max'
fi
engine_end
