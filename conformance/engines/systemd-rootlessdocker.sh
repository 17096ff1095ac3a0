# Cells of systemd.sh: Docker's rootless mode, as a service of an ordinary user's own manager, which hands limits to the runtime as properties.

start=/usr/share/docker.io/contrib/dockerd-rootless.sh
if [ ! -x $start ] || ! command -v rootlesskit >/dev/null; then
  ! wanted 'rootless docker' || report skip 'rootless docker' 'there is no rootlesskit'
  return 0
fi
. "$here/systemd-person.sh"
modprobe tun 2>/dev/null; chmod 666 /dev/net/tun # as udev leaves it
mkdir -p "$home/docker" && chown $uid:$uid "$home/docker"
rd() { DOCKER_HOST=unix:///run/user/$uid/docker.sock DOCKER_CONFIG=$home/docker timeout -k 5 120 "$DOCKER" "$@"; }
rdrun() { rd run --rm --network none "$@"; }
stop_rootless_docker() { rd ps -aq | DOCKER_HOST=unix:///run/user/$uid/docker.sock xargs -r "$DOCKER" rm -f; as_person systemctl --user stop cell-docker.service; }
stops=(stop_rootless_docker "${stops[@]}")
# As dockerd-rootless-setuptool.sh writes the unit.
as_person systemd-run --user -q --unit cell-docker -p Delegate=yes -p KillMode=mixed -p "StandardError=file:$home/dockerd.log" --setenv "PATH=/usr/sbin:$PATH" --setenv "XDG_RUNTIME_DIR=/run/user/$uid" \
  $start --data-root "$home/data" --exec-opt native.cgroupdriver=systemd --add-runtime "rig=$RUNTIME" --default-runtime rig "${alone[@]}"
for _ in 1 2 3 4; do eventually rd version && break; done || { tail -5 "$home/dockerd.log"; echo "Bail out! dockerd does not answer"; exit 2; }
tar -C "$WORK/rootfs" --exclude ./dev -cf - . | rd import -c 'ENV PATH=/bin:/usr/bin' - box >/dev/null || { echo "Bail out! no image"; exit 2; }

cell 'rootless docker: the driver is systemd' 'systemd 2' rd info --format '{{.CgroupDriver}} {{.CgroupVersion}}'
cell -s 42 'rootless docker: the exit status passes through' '' rdrun box sh -c 'exit 42'
rid=$(rd run -d --name limited --network none --memory 96m --cpus 0.25 --pids-limit 33 box sh -c 'trap "exit 7" TERM; while :; do sleep 0.2; done')
runit=docker-$rid.scope
cell "rootless docker: limits are properties of the user's unit" $'MemoryMax=100663296\nTasksMax=33\nCPUQuotaPerSecUSec=250ms\nControlGroup=/user.slice/user-4242.slice/user@4242.service/user.slice/docker-.*' user_shown "$runit" MemoryMax TasksMax CPUQuotaPerSecUSec ControlGroup
cell 'rootless docker: seen from inside' $'100663296\n33\n25000 100000' rd exec limited sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max'
rdchanged() { rd update --memory 128m --memory-swap 128m limited >/dev/null && as_person systemctl --user daemon-reload && user_show "$runit" MemoryMax && rd exec limited cat /sys/fs/cgroup/memory.max; }
cell 'rootless docker: update, and a reload' $'134217728\n134217728' rdchanged
rdpaused() { rd pause limited >/dev/null && rd inspect --format '{{.State.Status}}' limited; rd unpause limited >/dev/null && rd exec limited echo awake; }
cell 'rootless docker: pause, unpause' $'paused\nawake' rdpaused
cell 'rootless docker: stats' '.*/ 128MiB.*' rd stats --no-stream --format '{{.MemUsage}}' limited
rdstopped() { rd stop -t 5 limited >/dev/null; rd inspect --format '{{.State.ExitCode}}' limited; rd rm limited >/dev/null; user_scopes "docker-$rid*"; }
cell 'rootless docker: stop, and the scope is gone' '7' rdstopped
cell -s 137 'rootless docker: out of memory' '' rdrun --memory 16m --memory-swap 16m box sh -c 'tail /dev/zero'
