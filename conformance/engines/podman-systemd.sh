#!/usr/bin/env bash
# The systemd cgroup driver: tsrun by itself, then podman with --cgroup-manager systemd. Needs systemd as process 1 and cgroup v2:
#   conformance/vm/run.sh --systemd -- bash conformance/engines/podman-systemd.sh
# RUNTIME may be another runtime; the cells of the runtime by itself then show what that one does.
[ -d /run/systemd/system ] || { echo '1..0 # SKIP systemd is not process 1'; exit 0; }
# The machine is ours alone: no isolation, and systemd must see us where we are.
export RIG=inside RUNTIME=${RUNTIME:-$(dirname "$(readlink -f "$0")")/../../dist/tsrun}
RUNTIME=$(readlink -f "$RUNTIME")
. "$(dirname "$(readlink -f "$0")")/lib.sh"
engine_main "$@"
set -u

scopes() { systemctl list-units --all --plain --no-legend --type scope "$1" | awk '{ print $1, $3 }'; }
show() { systemctl show "$1" -P "$2"; }
rt() { timeout -k 5 60 "$RUNTIME" --systemd-cgroup "$@"; }
# What later commands know, they know from the record.
later() { timeout -k 5 60 "$RUNTIME" "$@"; }

make_rootfs "$WORK/bundle/rootfs"
bundle() { # bundle CGROUPSPATH COMMAND [JQ-FILTER]: a config with these
  (cd "$WORK/bundle" && rm -f config.json && "$RUNTIME" spec) || return
  python3 - "$WORK/bundle/config.json" "$1" "$2" "${3:-{\}}" <<'PY'
import json, sys
path, cgroup, command, resources = sys.argv[1:]
with open(path) as file: config = json.load(file)
config['process'].update(terminal=False, args=['sh', '-c', command])
config['linux'].pop('cgroupsPath', None)
if cgroup: config['linux']['cgroupsPath'] = cgroup
config['linux'].setdefault('resources', {}).update(json.loads(resources))
config['annotations'] = {'org.systemd.property.TimeoutStopUSec': 'uint64 7000000'}
with open(path, 'w') as file: json.dump(config, file)
PY
}
limits='{"memory":{"limit":67108864},"pids":{"limit":33},"cpu":{"quota":50000,"period":100000,"shares":512,"cpus":"0"}}'

bundle machine.slice:cell:one 'sleep 1000' "$limits"
cell 'create makes a scope' 'cell-one.scope active' eval 'rt create -b "$WORK/bundle" one && scopes "cell-*"'
cell 'start needs no flag' 'running' eval 'later start one && later state one | sed -n "s/.*\"status\": \"\(.*\)\".*/\1/p"'
properties() { for p in Slice MemoryMax TasksMax CPUQuotaPerSecUSec CPUWeight AllowedCPUs DevicePolicy Delegate TimeoutStopUSec ControlGroup; do echo "$p=$(show cell-one.scope $p)"; done; }
cell 'limits are properties of the scope' \
  $'Slice=machine.slice\nMemoryMax=67108864\nTasksMax=33\nCPUQuotaPerSecUSec=500ms\nCPUWeight=59\nAllowedCPUs=0\nDevicePolicy=strict\nDelegate=yes\nTimeoutStopUSec=7s\nControlGroup=/machine.slice/cell-one.scope' properties
files() { local d=/sys/fs/cgroup/machine.slice/cell-one.scope f; for f in memory.max pids.max cpu.max cpu.weight cpuset.cpus; do echo "$f $(cat $d/$f)"; done; }
cell 'and in the cgroup' $'memory.max 67108864\npids.max 33\ncpu.max 50000 100000\ncpu.weight 59\ncpuset.cpus 0' files
reloaded() { systemctl daemon-reload && files; }
cell 'a reload of systemd changes nothing' $'memory.max 67108864\npids.max 33\ncpu.max 50000 100000\ncpu.weight 59\ncpuset.cpus 0' reloaded
cell -s 1 'the unit of a running container is not taken' '' rt create -b "$WORK/bundle" other
cell 'and that container runs on' 'running' eval 'later state one | sed -n "s/.*\"status\": \"\(.*\)\".*/\1/p"'
cell 'delete ends the scope' '' eval 'later delete -f one && scopes "cell-*"; ls -d /sys/fs/cgroup/machine.slice/cell-one.scope 2>/dev/null; :'

bundle machine.slice:cell:two 'exit 7'
cell -s 7 'run: the status passes through' '' rt run -b "$WORK/bundle" two
cell 'and the scope is gone' '' scopes 'cell-*'
bundle '' 'sleep 1000'
cell 'no cgroupsPath: system.slice' 'tsrun-four.scope active system.slice' eval 'rt create -b "$WORK/bundle" four && echo "$(scopes "*four.scope")" $(show tsrun-four.scope Slice); later delete -f four'
bundle machine.slice:cell:five 'true'
sed -i 's/"sh"/"no-such"/' "$WORK/bundle/config.json"
cell -s 1 'a program that is not there' '' rt run -b "$WORK/bundle" five
cell 'leaves no scope' '' scopes 'cell-*'
bundle /a/path true
cell -s 1 'an absolute path is refused' '' rt run -b "$WORK/bundle" six
cell 'in the words that engines know' '.*expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/a/path" instead.*' eval 'rt run -b "$WORK/bundle" six 2>&1; :'
bundle machine.slice:cell:seven 'sleep 1000'
damaged() { rt create -b "$WORK/bundle" seven && rm /run/$NAME/seven/state.json /run/$NAME/seven/provisional.json && later delete -f seven && scopes 'cell-*'; }
cell 'delete -f finds the scope from the config alone' '' damaged

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
p() { timeout -k 5 120 podman --root "$WORK/root" --runroot "$WORK/runroot" --tmpdir "$WORK/libpod" --cgroup-manager systemd --storage-driver vfs --runtime "$RUNTIME" "$@"; }
engine_stop() { p rm -fa -t 0 >/dev/null 2>&1; cd /; rm -rf --one-file-system "$WORK"; }
tar -C "$WORK/bundle/rootfs" -cf - . | p import - box >/dev/null 2>&1 || { echo "Bail out! podman cannot import an image"; exit 2; }

cell 'podman run' 'hello' p run --rm --network none box echo hello
cell -s 42 'podman run: the status passes through' '' p run --rm --network none box sh -c 'exit 42'
id=$(p run -d --name limited --network none --memory 64m --pids-limit 40 --cpus 0.5 --cpuset-cpus 0 box sleep 1000 2>"$WORK/err") || cat "$WORK/err"
cell 'podman run -d: a scope below machine.slice' "libpod-$id.scope active" scopes "libpod-$id*"
podman_properties() { for name in Slice MemoryMax TasksMax CPUQuotaPerSecUSec AllowedCPUs; do echo "$name=$(show "libpod-$id.scope" $name)"; done; }
cell 'podman: limits are properties' $'Slice=machine.slice\nMemoryMax=67108864\nTasksMax=40\nCPUQuotaPerSecUSec=500ms\nAllowedCPUs=0' podman_properties
cell 'podman stop' '' eval 'p stop -t 1 limited >/dev/null && p rm limited >/dev/null && scopes "libpod-$id*"'
cell 'podman run --cgroup-parent' '.*/cells.slice/libpod-.*' p run --rm --network none --cgroup-parent cells.slice --cgroupns host box cat /proc/self/cgroup
cell 'podman rm -f' '' eval 'p run -d --name gone --network none box sleep 1000 >/dev/null && p rm -f -t 0 gone >/dev/null && scopes "libpod-*" | grep -v conmon; :'
leftovers() { scopes 'libpod-*'; scopes 'cell-*'; ls "/run/$NAME"; }
engine_end
