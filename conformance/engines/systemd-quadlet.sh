# Cells of systemd.sh: Quadlet, with which podman 4.4 and later make services of systemd's from files that describe containers, volumes and pods;
# as root, then for an ordinary user.

if [ ! -x /usr/lib/systemd/system-generators/podman-system-generator ]; then
  ! wanted 'quadlet' || report skip 'quadlet' 'this podman has none'
  return 0
fi
# As on a machine whose owner has set the runtime and forgotten about it: no flag and no variable says where anything is. A timer that asks
# for a container's health hands none on.
mkdir -p /var/lib/containers /etc/containers/{systemd,containers.conf.d}
podman_conf /etc/containers/containers.conf.d/90-cell.conf
mount -t tmpfs -o mode=755 tmpfs /var/lib/containers
p() { timeout -k 5 120 podman "$@"; }
stop_podman() {
  rm -f /etc/containers/systemd/cell-*
  systemctl daemon-reload
  p rm -fa -t 0; p pod rm -fa -t 0
  rm -f /etc/containers/containers.conf.d/90-cell.conf
  umount -R /var/lib/containers/storage/overlay; umount /var/lib/containers
}
stops+=(stop_podman)
tar -C "$WORK/rootfs" -cf - . | p import - box >/dev/null 2>"$WORK/err" || { cat "$WORK/err"; echo "Bail out! podman cannot import an image"; exit 2; }
mkdir -m 777 "$WORK/quad" # where containers say what they see

# quadlet FILE SECTION LINES [SERVICE-LINES]: one file of Quadlet's
quadlet() { printf '[%s]\n%s\n[Service]\nTimeoutStartSec=120\nTimeoutStopSec=60\n%s\n' "$2" "$3" "${4:-}" >"/etc/containers/systemd/$1"; }
container() { quadlet "cell-$1.container" Container $'Image=localhost/box\nPull=never\nContainerName='"$1"$'\n'"$2" "${3:-}"; } # container NAME LINES [SERVICE-LINES]
begin() { systemctl daemon-reload && systemctl start "$1" && systemctl is-active "$1"; }
finish() { systemctl stop "$@"; systemctl reset-failed "$@" 2>/dev/null; :; }
waits=$'Network=none\nExec=sh -c "trap \'exit 0\' TERM; while :; do sleep 0.2; done"'

container quad "$waits"
# conmon is the service's main process, and the container is in a cgroup of its own below the service's.
service_of() { begin cell-quad.service && cat "/proc/$(show cell-quad.service MainPID)/comm" && p inspect --format '{{.OCIRuntime}}' quad && sed 's/[0-9a-f]\{64\}/ID/' "/proc/$(p inspect --format '{{.State.Pid}}' quad)/cgroup"; }
cell 'quadlet: a container is a service' $'active\nconmon\n.*'"$NAME"$'\n0::/system.slice/cell-quad.service/libpod-payload-ID(/container)?' service_of
cell 'quadlet: exec' 'inside' p exec quad echo inside
stopped() { systemctl stop cell-quad.service && shown cell-quad.service Result ActiveState; p ps -aq; }
cell 'quadlet: stop ends it well, and nothing stays' $'Result=success\nActiveState=inactive' stopped

container keys "Network=none
User=1001:1002
DropCapability=all
NoNewPrivileges=true
ReadOnly=true
Tmpfs=/scratch
Environment=GIVEN=word
Ulimit=nofile=77:88
Sysctl=net.ipv4.ip_default_ttl=77
PidsLimit=44
HostName=quadhost
WorkingDir=/scratch
ShmSize=1m
Volume=$WORK/quad:/out
Mask=/proc/version
PodmanArgs=--memory 64m
Exec=sh -c 'exec >/out/keys; id -u; id -g; grep -E \"^(CapEff|NoNewPrivs)\" /proc/self/status; touch /x 2>&1; echo \$\$GIVEN; ulimit -Sn; ulimit -Hn; cat /proc/sys/net/ipv4/ip_default_ttl; hostname; pwd; df -k /dev/shm | tail -n 1; wc -c </proc/version; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max'" $'Type=oneshot\nRemainAfterExit=yes'
keys() { begin cell-keys.service >/dev/null && tr -s ' ' <"$WORK/quad/keys"; finish cell-keys.service; }
cell 'quadlet: keys of [Container], seen from inside' $'1001\n1002\nCapEff:\t0{16}\nNoNewPrivs:\t1\n.*Read-only file system\nword\n77\n88\n77\nquadhost\n/scratch\nshm 1024 .*\n0\n67108864\n44' keys

container limited "$waits"$'\nPodmanArgs=--memory 64m --cpus 0.5' $'MemoryMax=200M\nTasksMax=99'
# --cgroups=split: the unit's own limits are around the container's.
limits() { begin cell-limited.service >/dev/null && p exec limited cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max && files "$(show cell-limited.service ControlGroup)" memory.max pids.max; finish cell-limited.service; }
cell "quadlet: the container's limits below those of the unit" $'67108864\n50000 100000\nmemory.max 209715200\npids.max 99' limits

container failing $'Network=none\nExec=sh -c "exit 7"'
fails() { begin cell-failing.service >/dev/null; eventually sh -c '[ "$(systemctl is-failed cell-failing.service)" = failed ]'; shown cell-failing.service Result ExecMainStatus; finish cell-failing.service; }
cell "quadlet: the exit status is the service's" $'Result=exit-code\nExecMainStatus=7' fails
container again $'Network=none\nVolume='"$WORK/quad"$':/out\nExec=sh -c "echo x >>/out/starts; [ $$(wc -l </out/starts) -ge 3 ] || exit 1; trap \'exit 0\' TERM; while :; do sleep 0.2; done"' $'Restart=on-failure\nRestartSec=100ms'
third() { [ "$(wc -l <"$WORK/quad/starts")" = 3 ] && [ "$(systemctl is-active cell-again.service)" = active ]; }
again() { begin cell-again.service >/dev/null; eventually third; shown cell-again.service ActiveState NRestarts; finish cell-again.service; }
cell 'quadlet: Restart=on-failure begins it again' $'ActiveState=active\nNRestarts=2' again

quadlet cell-data.volume Volume $'VolumeName=quaddata'
container store $'Network=none\nVolume=cell-data.volume:/data\nVolume='"$WORK/quad"$':/out\nExec=sh -c "echo kept >>/data/file; cp /data/file /out/data"' $'Type=oneshot'
volume() { begin cell-store.service >/dev/null; systemctl start cell-store.service && cat "$WORK/quad/data" && p volume ls -q; finish cell-store.service cell-data-volume.service; p volume rm quaddata >/dev/null; }
cell 'quadlet: a volume is a unit, and outlives the container' $'kept\nkept\nquaddata' volume
container mapped $'Network=none\nUIDMap=0:200000:65536\nGIDMap=0:200000:65536\nVolume='"$WORK/quad"$':/out\nExec=sh -c "cat /proc/self/uid_map >/out/map"' 'Type=oneshot'
maps() { begin cell-mapped.service >/dev/null; tr -s ' ' <"$WORK/quad/map"; finish cell-mapped.service; }
cell 'quadlet: UIDMap' ' 0 200000 65536' maps
container told $'Network=none\nNotify=true\nVolume=/usr:/usr:ro\nVolume=/usr/lib:/lib:ro\nVolume=/usr/lib64:/lib64:ro\nVolume='"$WORK/quad"$':/out\nExec=sh -c "touch /out/told; systemd-notify --ready; trap \'exit 0\' TERM; while :; do sleep 0.2; done"'
told() { begin cell-told.service && ls "$WORK/quad/told"; finish cell-told.service; shown cell-told.service Result; }
cell 'quadlet: Notify=true waits for the program to say so' "active"$'\n.*/told\nResult=success' told

if [ "$(major podman --version)" -ge 5 ]; then
  container healthy "$waits"$'\nNotify=healthy\nHealthCmd=test -e /tmp/well\nHealthInterval=2s\nHealthRetries=30'
  sickly() { systemctl daemon-reload; systemctl start --no-block cell-healthy.service; eventually p exec healthy touch /tmp/almost; systemctl is-active cell-healthy.service; p exec healthy touch /tmp/well; eventually sh -c '[ "$(systemctl is-active cell-healthy.service)" = active ]'; systemctl is-active cell-healthy.service; finish cell-healthy.service; }
  cell 'quadlet: Notify=healthy, by a timer that execs' $'activating\nactive' sickly
  quadlet cell-pod.pod Pod $'PodName=quadpod\nNetwork=none\nPodmanArgs=--infra-image localhost/box --infra-command "sleep 1000"'
  for name in one two; do container "$name" $'Pod=cell-pod.pod\nExec=sh -c "trap \'exit 0\' TERM; while :; do sleep 0.2; done"'; done
  pod() {
    begin cell-pod-pod.service && eventually p exec one true && eventually p exec two true && systemctl is-active cell-one.service cell-two.service
    for name in one two; do p exec "$name" sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/ipc'; done | sort -u | wc -l
    finish cell-pod-pod.service
    systemctl is-active cell-one.service cell-two.service; p ps -aq
  }
  cell 'quadlet: a pod, and two services in it' $'active\nactive\nactive\n2\ninactive\ninactive' pod
fi
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: quadkube}\nspec:\n  terminationGracePeriodSeconds: 0\n  containers:\n  - name: it\n    image: localhost/box\n    command: [sleep, "1000"]\n    resources: {limits: {memory: 64Mi}}\n' >/etc/containers/systemd/cell-kube.yaml
quadlet cell-kube.kube Kube $'Yaml=cell-kube.yaml\nNetwork=none'
kube() { begin cell-kube.service && p exec quadkube-it cat /sys/fs/cgroup/memory.max; finish cell-kube.service; p ps -aq; }
cell 'quadlet: a .kube file' $'active\n67108864' kube

# The same file for an ordinary user: a service of his own manager's.
. "$here/systemd-person.sh"
up() { as_person podman --storage-driver vfs "$@"; }
user_image
mkdir -p "$home/.config/containers/systemd"
cat >"$home/.config/containers/systemd/cell-mine.container" <<UNIT
[Container]
Image=localhost/box
Pull=never
ContainerName=mine
GlobalArgs=--storage-driver vfs
$waits
UserNS=keep-id
PodmanArgs=--memory 64m
[Service]
TimeoutStartSec=120
UNIT
chown -R $uid:$uid "$home/.config"
mine() { as_person systemctl --user daemon-reload && as_person systemctl --user start cell-mine.service && as_person systemctl --user is-active cell-mine.service && up exec mine sh -c 'id -u; cat /sys/fs/cgroup/memory.max' && sed 's/[0-9a-f]\{64\}/ID/' "/proc/$(up inspect --format '{{.State.Pid}}' mine)/cgroup"; }
cell "quadlet, rootless: a service of the user's manager" $'active\n4242\n67108864\n0::/user.slice/user-4242.slice/user@4242.service/app.slice/cell-mine.service/libpod-payload-ID(/container)?' mine
mine_ends() { as_person systemctl --user stop cell-mine.service && as_person systemctl --user show cell-mine.service -P Result; up ps -aq; }
cell 'quadlet, rootless: stop' 'success' mine_ends
