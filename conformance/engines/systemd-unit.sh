# Cells of systemd.sh: the runtime by itself. What a limit is in the unit, in the cgroup, after an update and after a reload.

rt() { timeout -k 5 $deadline "$RUNTIME" --systemd-cgroup "$@"; }
# What later commands know, they know from the record.
later() { timeout -k 5 $deadline "$RUNTIME" "$@"; }
status() { later state "$1" | sed -n 's/.*"status": "\(.*\)".*/\1/p'; }
is() { [ "$(status "$1")" = "$2" ]; }

mkdir -p "$WORK/bundle"
bundle() { # bundle CGROUPSPATH COMMAND [RESOURCES-JSON [ANNOTATIONS-JSON]]
  (cd "$WORK/bundle" && rm -f config.json && "$RUNTIME" spec) || return
  config_for "$WORK/bundle/config.json" "$@"
}
# Where it is: in the scope or, with crun, in a cgroup of its own below it, which has the limits then.
pid_of() { later state "$1" | jq .pid; }
where() { sed -n 's/^0:://p' "/proc/$(pid_of "$1")/cgroup"; }
within() { local id=$1; shift; files "$(where "$id")" "$@"; }
create() { rt create -b "$WORK/bundle" "$1" </dev/null; }
stop_cells() { local id; for id in $(later list -q); do later delete -f "$id"; done; }
stops+=(stop_cells)

limits='{"memory":{"limit":67108864},"pids":{"limit":33},"cpu":{"quota":50000,"period":100000,"shares":512,"cpus":"0"}}'
bundle machine.slice:cell:one 'sleep 1000' "$limits" '{"org.systemd.property.TimeoutStopUSec":"uint64 7000000","org.systemd.property.CollectMode":"'"'inactive-or-failed'"'"}'
one=/machine.slice/cell-one.scope
values='memory.max pids.max cpu.max cpu.weight cpuset.cpus'
cell 'create makes a scope' 'cell-one.scope active' eval 'create one && scopes "cell-*"'
cell 'limits are properties of the scope' \
  $'Slice=machine.slice\nMemoryMax=67108864\nTasksMax=33\nCPUQuotaPerSecUSec=500ms\nCPUWeight=(20|59)\nAllowedCPUs=0\nDevicePolicy=strict\nDelegate=yes\nControlGroup='"$one" \
  shown cell-one.scope Slice MemoryMax TasksMax CPUQuotaPerSecUSec CPUWeight AllowedCPUs DevicePolicy Delegate ControlGroup
cell 'annotations are properties, too' $'TimeoutStopUSec=7s\nCollectMode=inactive-or-failed' shown cell-one.scope TimeoutStopUSec CollectMode
limited=$'memory.max 67108864\npids.max 33\ncpu.max 50000 100000\ncpu.weight (20|59)\ncpuset.cpus 0'
cell 'and in the cgroup' "$limited" within one $values
cell 'start needs no flag' 'running' eval 'later start one && status one'
reloaded() { systemctl daemon-reload && within one $values; }
cell 'a reload of systemd changes nothing' "$limited" reloaded
changed=$'memory.max 100663296\npids.max 44\ncpu.max 25000 100000\ncpu.weight 20\ncpuset.cpus 0-1'
updated() { later update --memory 100663296 --pids-limit 44 --cpu-quota 25000 --cpu-share 204 --cpuset-cpus 0-1 one && within one $values; }
cell 'update changes the cgroup' "${changed/cpu.weight 20/cpu.weight [0-9]+}" updated
cell 'and the properties' $'MemoryMax=100663296\nTasksMax=44\nCPUQuotaPerSecUSec=250ms\nAllowedCPUs=0-1' shown cell-one.scope MemoryMax TasksMax CPUQuotaPerSecUSec AllowedCPUs
cell 'and outlives a reload' "${changed/cpu.weight 20/cpu.weight [0-9]+}" reloaded
odd() { later update --cpu-quota 33333 one && within one cpu.max >"$WORK/before" && systemctl daemon-reload && within one cpu.max && within one cpu.max | cmp - "$WORK/before" && echo same; }
cell 'a quota between two percents outlives a reload' $'cpu.max 3[34][0-9]+ 100000\nsame' odd
devices() { later exec one sh -c 'echo x >/dev/null && head -c1 /dev/zero | wc -c; mknod /dev/d b 7 0 2>&1; :'; }
cell 'and the devices are as before' $'1\n.*Operation not permitted' devices
cell 'delete ends the scope' '' eval 'later delete -f one && scopes "cell-*"; ls -d /sys/fs/cgroup'"$one"' 2>/dev/null; :'
in_part || return 0

bundle machine.slice:cell:two 'sleep 1000' "$limits"
create two && later start two
cell -s 1 'the unit of a running container is not taken' '' create other
cell 'and that container runs on' 'running' status two
frozen() { later pause two && status two && frozen_or_thawed "$(pid_of two)" && later resume two && status two && frozen_or_thawed "$(pid_of two)"; }
cell 'pause, resume' $'paused\nfrozen\nrunning\nthawed' frozen
cell 'exec is in the scope' '.*/cell-two.scope(/container)?|.*/' later exec two cat /proc/self/cgroup
sub() { mkdir /sys/fs/cgroup/machine.slice/cell-two.scope/sub && later exec -d --cgroup /sub --pid-file "$WORK/sub.pid" two sleep 500 && sed 's/.*cell-two/cell-two/' "/proc/$(cat "$WORK/sub.pid")/cgroup"; }
[ "$NAME" = crun ] || cell 'exec --cgroup goes below it' 'cell-two.scope/sub' sub
unified() { echo '{"unified":{"memory.high":"50331648","memory.low":"4194304"}}' | later update -r - two && shown cell-two.scope MemoryHigh MemoryLow && systemctl daemon-reload && files /machine.slice/cell-two.scope memory.high memory.low; }
[ "$NAME" = crun ] || cell 'update: unified' $'MemoryHigh=50331648\nMemoryLow=4194304\nmemory.high 50331648\nmemory.low 4194304' unified
events() { later events --stats two | jq -r '.data | "\(.pids.limit) \(.memory.usage.limit)"'; }
[ "$NAME" = crun ] || cell 'events --stats' '33 67108864' events
cell 'ps' 'true' eval 'later ps -f json two | jq "index($(pid_of two)) != null"'
killed() { later kill two KILL && eventually is two stopped && status two; }
cell 'kill' 'stopped' killed
cell 'delete of a stopped one' '' eval 'later delete two && scopes "cell-*"'

bundle machine.slice:cell:two 'exit 7'
cell -s 7 'run: the status passes through' '' rt run -b "$WORK/bundle" two
cell 'and the scope is gone' '' scopes 'cell-*'
bundle '' 'sleep 1000'
cell 'no cgroupsPath: system.slice' "$NAME-four.scope active system.slice" eval 'create four && echo "$(scopes "*four.scope")" $(show $NAME-four.scope Slice); later delete -f four'
bundle cells-some-deep.slice:cell:five 'sleep 1000'
cell 'slices in slices' '/cells.slice/cells-some.slice/cells-some-deep.slice/cell-five.scope' eval 'create five && show cell-five.scope ControlGroup; later delete -f five'
bundle -.slice:cell:root 'sleep 1000'
cell 'the root slice' '/cell-root.scope' eval 'create root && show cell-root.scope ControlGroup; later delete -f root'
bundle machine.slice:cell:six 'true'
sed -i 's/"sh"/"no-such"/' "$WORK/bundle/config.json"
cell -s 1 'a program that is not there' '' rt run -b "$WORK/bundle" six
cell 'leaves no scope' '' scopes 'cell-*'
bundle /a/path true
if [ "$NAME" != crun ]; then
  cell -s 1 'an absolute path is refused' '' rt run -b "$WORK/bundle" seven
  cell 'in the words that engines know' '.*expected cgroupsPath to be of format (\\?")slice:prefix:name\\?" for systemd cgroups, got \\?"/a/path\\?" instead.*' eval 'rt run -b "$WORK/bundle" seven 2>&1; :'
fi

# A scope fails when its memory is used up, when its time is up, or when systemd is told so.
bundle machine.slice:cell:oom 'sleep 0.3; tail /dev/zero' '{"memory":{"limit":8388608,"swap":8388608}}'
failed() { create oom && later start oom && eventually is oom stopped && eventually sh -c '! systemctl -q is-active cell-oom.scope'; later delete oom && systemctl list-units --all --plain --no-legend 'cell-*'; }
cell 'delete resets a failed unit' '' failed
bundle machine.slice:cell:late 'sleep 1000'
taken() { systemd-run -q --scope --unit=cell-late --slice=machine.slice -p RuntimeMaxSec=1 sleep 100 2>/dev/null; systemctl is-failed cell-late.scope; create late && systemctl is-active cell-late.scope; later delete -f late; }
cell "a failed unit's name can be had again" $'failed\nactive' taken
systemctl reset-failed cell-late.scope 2>/dev/null # runc leaves it
# A first process without a handler never sees the SIGTERM; the SIGKILL would come after 90 s.
bundle machine.slice:cell:ended 'sleep 1000' '{}' '{"org.systemd.property.TimeoutStopUSec":"uint64 1000000"}'
ended() { create ended && later start ended && systemctl stop cell-ended.scope && eventually is ended stopped && status ended && later delete ended && scopes 'cell-*'; }
cell 'systemctl stop ends the container' 'stopped' ended
damaged() { create ended && rm -f "/run/$NAME/ended"/{state,provisional}.json && later delete -f ended && scopes 'cell-*'; }
[ "$NAME" != tsrun ] || cell 'delete -f finds the scope from the config alone' '' damaged

if [ "$NAME" = tsrun ]; then # the others hand systemd whatever there is (CVE-2024-3154)
  refused() { bundle machine.slice:cell:no true '{}' "{\"org.systemd.property.$1\":\"$2\"}"; rt run -b "$WORK/bundle" no 2>&1; }
  for name in SuccessAction FailureAction OnFailure JoinsNamespaceOf; do
    cell -s 1 "annotation $name is refused" ".*$name.*cannot be set by an annotation.*" refused "$name" "'reboot'"
  done
  in_journal() { rt --log journald:cell state nobody 2>/dev/null; eventually sh -c 'journalctl -q -t cell --no-pager | grep -q nobody'; journalctl -q -t cell -o json --no-pager | jq -r '"\(.PRIORITY) \(.MESSAGE)"' | tail -1; }
  cell '--log journald:' '3 .*nobody.*does not exist.*' in_journal
  cell -s 1 'an annotation that is no value is refused' '.*/annotations/org.systemd.property.TimeoutStopUSec.*' refused TimeoutStopUSec 'seven'
fi
