# Cells of systemd.sh: an ordinary user with a service manager of his own. The runtime by itself, then podman.

. "$here/systemd-person.sh"
# From one of the user's own, as from his shell.
in_session() { systemd-run -q --uid=person --pipe --wait -p PAMName=login -p WorkingDirectory="$home/bundle" --setenv="XDG_RUNTIME_DIR=/run/user/$uid" --setenv="CONTAINERS_CONF=$home/containers.conf" --setenv="TMPDIR=$home/tmp" "$@" </dev/null; }
urun() { up run --rm --network none "$@"; }
own=/user.slice/user-$uid.slice/user@$uid.service

user_bundle() { # user_bundle CGROUPSPATH COMMAND [RESOURCES-JSON]
  rm -f "$home/bundle/config.json" && as_person "$RUNTIME" spec --rootless || return
  config_for "$home/bundle/config.json" "$@"
}
urt() { as_person "$RUNTIME" --systemd-cgroup "$@"; }
user_bundle user.slice:cell:mine 'sleep 1000' '{"memory":{"limit":67108864},"pids":{"limit":33},"cpu":{"quota":50000,"period":100000}}'
cell "rootless: a scope of the user's manager" "MemoryMax=67108864
TasksMax=33
CPUQuotaPerSecUSec=500ms
ControlGroup=$own/user.slice/cell-mine.scope" eval 'urt create mine && user_shown cell-mine.scope MemoryMax TasksMax CPUQuotaPerSecUSec ControlGroup'
cell 'rootless: limits in the cgroup' $'memory.max 67108864\npids.max 33\ncpu.max 50000 100000' files $own/user.slice/cell-mine.scope memory.max pids.max cpu.max
user_updated() { as_person "$RUNTIME" update --memory 100663296 --pids-limit 44 mine && as_person systemctl --user daemon-reload && user_shown cell-mine.scope MemoryMax TasksMax && files $own/user.slice/cell-mine.scope memory.max pids.max; }
cell 'rootless: update' $'MemoryMax=100663296\nTasksMax=44\nmemory.max 100663296\npids.max 44' eval 'as_person "$RUNTIME" start mine && user_updated'
user_paused() { as_person "$RUNTIME" pause mine && as_person "$RUNTIME" state mine | grep -o '"paused"'; as_person "$RUNTIME" resume mine && as_person "$RUNTIME" exec mine echo awake; }
cell 'rootless: pause, resume, exec' $'"paused"\nawake' user_paused
cell 'rootless: delete ends the scope' '' eval 'as_person "$RUNTIME" delete -f mine && user_scopes "cell-*"'

user_image
cell 'rootless podman: run' 'hello' urun box echo hello
id=$(up run -d --name limited --network none --memory 96m --cpus 0.25 --pids-limit 33 box sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.2; done')
uunit=libpod-$id.scope
cell "rootless podman: limits are properties of the user's unit" $'MemoryMax=100663296\nTasksMax=33\nCPUQuotaPerSecUSec=250ms\nControlGroup='"$own/user.slice/$uunit" user_shown "$uunit" MemoryMax TasksMax CPUQuotaPerSecUSec ControlGroup
cell 'rootless podman: seen from inside' $'100663296\n33' up exec limited sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max'
user_changed() { up update --memory 128m limited >/dev/null && as_person systemctl --user daemon-reload && user_show "$uunit" MemoryMax && up exec limited cat /sys/fs/cgroup/memory.max; }
cell 'rootless podman: update, and a reload' $'134217728\n134217728' user_changed
user_frozen() { up pause limited >/dev/null && up inspect --format '{{.State.Status}}' limited; up unpause limited >/dev/null && up exec limited echo awake; }
cell 'rootless podman: pause, unpause' $'paused\nawake' user_frozen
user_stopped() { up stop -t 5 limited >/dev/null; up inspect --format '{{.State.ExitCode}}' limited; up rm limited >/dev/null; user_scopes "libpod-$id*"; }
cell 'rootless podman: stop, and the scope is gone' '7' user_stopped
in_part || return 0

cell -s 42 'rootless podman: the exit status passes through' '' urun box sh -c 'exit 42'
cell 'rootless podman: --cpuset-cpus' 'Cpus_allowed_list:	0' urun --cpuset-cpus 0 box grep Cpus_allowed_list /proc/self/status
cell 'rootless podman: --cgroup-parent' '.*/cells.slice/libpod-.*' urun --cgroup-parent cells.slice --cgroupns host box cat /proc/self/cgroup
cell 'rootless podman: stats' 'tiny [0-9.]+[kKMG]*i?B / .*' eval 'up run -d --name tiny --network none box sleep 100 >/dev/null && up stats --no-stream --format "{{.Name}} {{.MemUsage}}" tiny; up rm -f -t 0 tiny >/dev/null'
cell 'rootless podman: a pod is a slice' '.*/user.slice/user-libpod_pod_.*' eval 'up pod create --name pod --infra --infra-image localhost/box --infra-command "sleep 1000" --network none >/dev/null && cat /proc/$(up inspect --format "{{.State.Pid}}" $(up pod inspect --format "{{.InfraContainerID}}" pod))/cgroup; up pod start pod >/dev/null; cat /proc/$(up inspect --format "{{.State.Pid}}" $(up pod inspect --format "{{.InfraContainerID}}" pod))/cgroup; up pod rm -f -t 0 pod >/dev/null'
cell 'rootless podman: --userns keep-id' '4242' urun --userns keep-id box id -u
cell 'rootless podman: --systemd always gives a cgroup to write in' 'mine' urun --systemd always box sh -c 'mkdir /sys/fs/cgroup/below && echo $$ >/sys/fs/cgroup/below/cgroup.procs && echo mine'
cell 'rootless podman: from a login session' 'hello' in_session podman --root "$home/root" --runroot "$home/runroot" --tmpdir "$home/libpod" --cgroup-manager systemd --storage-driver vfs --runtime "$RUNTIME" run --rm --network none --memory 64m box echo hello
user_bundle '' 'cat /proc/self/cgroup'
cell 'rootless: no cgroupsPath' '.*/user.slice/.*|0::/' urt run nowhere
as_service() { # sd_notify for somebody without privileges: the container says that it is ready, its service is
  user_bundle '' 'systemd-notify --ready; trap "exit 0" TERM; while :; do sleep 0.2; done'
  # The root is not his: the socket's place is made in a tmpfs.
  jq '.mounts += [{destination: "/run", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=755"]}] + [["/usr", "/usr"], ["/usr/lib", "/lib"], ["/usr/lib64", "/lib64"] | {source: .[0], destination: .[1], type: "none", options: ["rbind", "ro"]}] | .root.readonly = false' "$home/bundle/config.json" >"$home/config.json" && cat "$home/config.json" >"$home/bundle/config.json"
  as_person systemd-run --user -q --unit cell-notify -p Type=notify -p NotifyAccess=all -p TimeoutStartSec=100 -p "StandardError=file:$home/notify.err" --working-directory "$home/bundle" --setenv "XDG_RUNTIME_DIR=/run/user/$uid" "$RUNTIME" run notify
  as_person systemctl --user is-active cell-notify.service || cat "$home/notify.err" >&2
  as_person "$RUNTIME" kill notify TERM; eventually sh -c '! [ -d "$0" ]' "/run/user/$uid/$NAME/notify"
}
mkdir -p "$WORK/rootfs"/{lib,lib64}
cell 'rootless: a service of type notify' 'active' as_service
plain() { user_bundle '' 'sleep 1000'; in_session "$RUNTIME" run -d --pid-file "$home/pid" plain && sed 's/^0:://' "/proc/$(cat "$home/pid")/cgroup"; as_person "$RUNTIME" delete -f plain; }
cell 'rootless, no systemd: where the session is, or nowhere' '.*/user-4242.slice/.*' plain
