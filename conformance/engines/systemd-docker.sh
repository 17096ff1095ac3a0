# Cells of systemd.sh: Docker with native.cgroupdriver=systemd.

export DOCKER_HOST=unix://$WORK/docker.sock DOCKER_CONFIG=$WORK/home
without_apparmor
dockerd_start() {
  dockerd --data-root "$WORK/data" --exec-root "$WORK/exec" --pidfile "$WORK/docker.pid" -H "$DOCKER_HOST" --config-file <(echo '{}') --exec-opt native.cgroupdriver=systemd \
    --add-runtime "rig=$RUNTIME" --default-runtime rig "${alone[@]}" >>"$WORK/dockerd.log" 2>&1 &
  dockerd=$!
}
d() { timeout -k 5 120 "$DOCKER" "$@"; }
stop_docker() { d ps -aq | xargs -r "$DOCKER" rm -f; end_daemon $dockerd; umount /sys/module/apparmor/parameters/enabled; }
stops+=(stop_docker)
dockerd_start
for _ in 1 2 3 4; do eventually d version && break; kill -0 $dockerd 2>/dev/null || dockerd_start; done || { tail -5 "$WORK/dockerd.log"; echo "Bail out! dockerd does not answer"; exit 2; }
tar -C "$WORK/rootfs" -cf - . | d import -c 'ENV PATH=/bin:/usr/bin' - box >/dev/null || { echo "Bail out! no image"; exit 2; }
drun() { d run --rm --network none "$@"; }

cell 'docker: the driver is systemd' 'systemd 2' d info --format '{{.CgroupDriver}} {{.CgroupVersion}}'
cell 'docker: run' 'hello' drun box echo hello
cell -s 42 'docker: the exit status passes through' '' drun box sh -c 'exit 42'
did=$(d run -d --name limited --network none --memory 96m --memory-swap 96m --cpus 0.25 --pids-limit 33 --cpuset-cpus 0 box sh -c 'trap "exit 7" TERM; while :; do sleep 0.2; done')
dunit=docker-$did.scope
cell 'docker: limits are properties' $'Slice=system.slice\nMemoryMax=100663296\nMemorySwapMax=0\nTasksMax=33\nCPUQuotaPerSecUSec=250ms\nAllowedCPUs=0' shown "$dunit" Slice MemoryMax MemorySwapMax TasksMax CPUQuotaPerSecUSec AllowedCPUs
cell 'docker: seen from inside' $'100663296\n33\n25000 100000' d exec limited sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max'
dchanged() { d update --memory 128m --memory-swap 128m --cpus 0.5 limited >/dev/null && systemctl daemon-reload && shown "$dunit" MemoryMax CPUQuotaPerSecUSec && d exec limited cat /sys/fs/cgroup/memory.max; }
cell 'docker: update, and a reload' $'MemoryMax=134217728\nCPUQuotaPerSecUSec=500ms\n134217728' dchanged
dpaused() { d pause limited >/dev/null && d inspect --format '{{.State.Status}}' limited; d unpause limited >/dev/null && d exec limited echo awake; }
cell 'docker: pause, unpause' $'paused\nawake' dpaused
cell 'docker: stats' '.*/ 128MiB.*' d stats --no-stream --format '{{.MemUsage}}' limited
dstopped() { d stop -t 5 limited >/dev/null; d inspect --format '{{.State.ExitCode}}' limited; d rm limited >/dev/null; scopes "$dunit"; }
cell 'docker: stop, and the scope is gone' '7' dstopped
cell 'docker: --cgroup-parent' '.*/cells.slice/docker-.*' eval 'd run -d --name parented --network none --cgroup-parent cells.slice box sleep 100 >/dev/null && cat /proc/$(d inspect --format "{{.State.Pid}}" parented)/cgroup; d rm -f parented >/dev/null'
cell -s 137 'docker: out of memory' '' drun --memory 16m --memory-swap 16m box sh -c 'tail /dev/zero'
cell 'docker: devices are limited' '.*Operation not permitted' drun --cap-add mknod box sh -c 'mknod /d b 7 0 && head -c1 /d 2>&1; :'
