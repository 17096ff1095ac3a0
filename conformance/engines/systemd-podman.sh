# Cells of systemd.sh: podman --cgroup-manager systemd, as root.

podman_conf "$WORK/containers.conf"
p() { CONTAINERS_CONF=$WORK/containers.conf timeout -k 5 120 podman --root "$WORK/root" --runroot "$WORK/runroot" --tmpdir "$WORK/libpod" --cgroup-manager systemd --storage-driver overlay --runtime "$RUNTIME" "$@"; }
run() { p run --rm --network none "$@"; }
logs_have() { p logs "$1" 2>&1 | grep -q "$2"; }
stop_podman() { p rm -fa -t 0; p pod rm -fa -t 0; }
stops+=(stop_podman)
tar -C "$WORK/rootfs" -cf - . | p import - box >/dev/null 2>"$WORK/err" || { cat "$WORK/err"; echo "Bail out! podman cannot import an image"; exit 2; }

cell 'podman: run' 'hello' run box echo hello
cell -s 42 'podman: the exit status passes through' '' run box sh -c 'exit 42'
id=$(p run -d --name limited --network none --memory 96m --cpus 0.25 --pids-limit 33 --cpuset-cpus 0 box sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.2; done')
eventually logs_have limited ready
unit=libpod-$id.scope
cell 'podman: a scope in machine.slice' "$unit active" scopes "libpod-$id*"
cell 'podman: limits are properties' $'Slice=machine.slice\nMemoryMax=100663296\nTasksMax=33\nCPUQuotaPerSecUSec=250ms\nAllowedCPUs=0' \
  shown "$unit" Slice MemoryMax TasksMax CPUQuotaPerSecUSec AllowedCPUs
cell 'podman: limits, seen from inside' $'100663296\n33\n25000 100000' p exec limited sh -c 'cd /sys/fs/cgroup; d=; [ -e memory.max ] || d=$(sed s/^0::// /proc/self/cgroup); cat memory.max pids.max cpu.max'
changed() { p update --memory 128m --cpus 0.5 limited >/dev/null && shown "$unit" MemoryMax CPUQuotaPerSecUSec && systemctl daemon-reload && files "$(show "$unit" ControlGroup)" memory.max cpu.max pids.max; }
cell 'podman: update, and a reload' $'MemoryMax=134217728\nCPUQuotaPerSecUSec=500ms\nmemory.max 134217728\ncpu.max 50000 100000\npids.max 33' changed
paused() { p pause limited >/dev/null && p inspect --format '{{.State.Status}}' limited; p unpause limited >/dev/null && p exec limited echo awake; }
cell 'podman: pause, unpause' $'paused\nawake' paused
cell 'podman: stats' 'limited [0-9.]+[kKMG]*i?B / [0-9.]+[kKMG]*i?B [1-9]+' p stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' limited
stopped() { p stop -t 5 limited >/dev/null; p inspect --format '{{.State.ExitCode}}' limited; p rm limited >/dev/null; scopes "libpod-$id*"; }
cell 'podman: stop, and the scope is gone' '7' stopped
in_part || return 0

cell 'podman: --cgroup-parent' '.*/cells.slice/cells-some.slice/libpod-.*' run --cgroup-parent cells-some.slice --cgroupns host box cat /proc/self/cgroup
cell 'podman: --cgroups disabled' 'hello' run --cgroups disabled box echo hello
cell 'podman: --cgroups no-conmon' '.*/machine.slice/libpod-.*' run --cgroups no-conmon --cgroupns host box cat /proc/self/cgroup
split() { systemd-run -q --wait --pipe -p Delegate=yes --setenv="CONTAINERS_CONF=$WORK/containers.conf" podman --root "$WORK/root" --runroot "$WORK/runroot" --tmpdir "$WORK/libpod" --storage-driver overlay --runtime "$RUNTIME" run --rm --network none --cgroups split --cgroupns host box cat /proc/self/cgroup; }
cell 'podman: --cgroups split' '.*/run-(u[0-9]+|p[0-9]+-i[0-9]+)\.service/libpod-payload-.*' split
devices() { run --cap-add mknod box sh -c 'mknod /d b 7 0 && head -c1 /d 2>&1; mknod /n c 1 3 && echo x >/n && echo null works'; }
cell 'podman: devices are limited' $'.*Operation not permitted\nnull works' devices
cell 'podman: --device' 'c' run --device /dev/kmsg box sh -c 'ls -l /dev/kmsg | cut -c1'
killed() { p run -d --name victim --network none box sleep 100 >/dev/null && p kill -s KILL victim >/dev/null && p wait victim; p rm victim >/dev/null; }
cell 'podman: kill' '137' killed
out_of_memory() { p run --name eater --network none --memory 16m --memory-swap 16m box sh -c 'tail /dev/zero'; echo "status $?"; p inspect --format '{{.State.OOMKilled}}' eater; p rm eater >/dev/null; systemctl list-units --all --plain --no-legend 'libpod-*' | grep -v conmon; :; }
cell 'podman: out of memory leaves no failed unit' $'status 137\n(true|false)' out_of_memory
gone() { p run -d --name gone --network none box sleep 1000 >/dev/null && p rm -f -t 0 gone >/dev/null && scopes 'libpod-*' | grep -v conmon; }
cell 'podman: rm -f' '' eval 'gone; :'
pod() {
  p pod create --name pod --infra --infra-image localhost/box --infra-command 'sleep 1000' --network none >/dev/null || return
  p run -d --pod pod --name member box sleep 100 >/dev/null && sed -E 's/[0-9a-f]{64}/ID/g' "/proc/$(p inspect --format '{{.State.Pid}}' member)/cgroup"; p pod rm -f -t 0 pod >/dev/null
}
cell 'podman: a pod is a slice' '.*/machine.slice/machine-libpod_pod_ID.slice/libpod-ID.scope(/container)?' pod
systemd_inside() { run --systemd always box sh -c 'mkdir /sys/fs/cgroup/below && echo $$ >/sys/fs/cgroup/below/cgroup.procs && echo mine'; }
cell 'podman: --systemd always gives a cgroup to write in' 'mine' systemd_inside
cell 'podman: in a user namespace, too' 'mine' run --uidmap 0:200000:65536 --gidmap 0:200000:65536 --systemd always box sh -c 'mkdir /sys/fs/cgroup/below && echo $$ >/sys/fs/cgroup/below/cgroup.procs && echo mine'

# A service of systemd's whose main process is conmon or the container's, as `podman generate systemd` writes it. The host's
# /usr is in the container for systemd-notify.
service() { # service SDNOTIFY COMMAND
  local podman="/usr/bin/podman --root $WORK/root --runroot $WORK/runroot --tmpdir $WORK/libpod --storage-driver overlay --runtime $RUNTIME"
  cat >/run/systemd/system/cell-service.service <<UNIT
[Service]
Environment=CONTAINERS_CONF=$WORK/containers.conf
ExecStart=$podman run --rm -d --replace --name served --network none --cgroups=no-conmon --sdnotify=$1 -v /usr:/usr:ro -v /usr/lib:/lib:ro -v /usr/lib64:/lib64:ro box sh -c '$2; trap "exit 0" TERM; while :; do sleep 0.2; done'
ExecStop=$podman stop -t 5 served
Type=notify
NotifyAccess=all
TimeoutStartSec=120
TimeoutStopSec=60
UNIT
  systemctl daemon-reload
  systemctl start cell-service.service
  systemctl is-active cell-service.service
  cat "/proc/$(show cell-service.service MainPID)/comm"
  systemctl stop cell-service.service
  shown cell-service.service Result
  rm /run/systemd/system/cell-service.service
  systemctl daemon-reload
}
cell 'podman: a service, --sdnotify conmon' $'active\nconmon\nResult=success' service conmon :
cell 'podman: a service, --sdnotify container' $'active\n(sh|conmon)\nResult=success' service container 'systemd-notify --ready'
