#!/usr/bin/env bash
# podman with one runtime: RUNTIME=/path/to/runtime bash conformance/engines/podman.sh [all|core|more|flags|new|pods]
# Needs root, podman, conmon, busybox-static, script and expect. Everything lives in a temporary folder; nothing is downloaded.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
PARTS='all core more flags new pods'
engine_main "$@"
set -u
part=${*:-all}
# podman keeps these for its next container; they are not the runtime's.
ENGINE_CGROUPS='libpod_parent|conmon|libpod_parent/conmon|parent|parent/conmon|libpod_parent/[0-9a-f]{64}' # the last: a pod's
ENGINE_MOUNTS=$WORK/root/overlay$'\n'/run/netns

cat >"$WORK/containers.conf" <<CONF
[containers]
$(no_controllers && echo 'pids_limit = 0')
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "$RUNTIME"
runtime_supports_json = ["crun", "runc", "$NAME"]
runtime_supports_nocgroup = ["crun", "$NAME"]
CONF
export CONTAINERS_CONF=$WORK/containers.conf
p() { timeout -k 5 $deadline podman --root "$WORK/root" --runroot "$WORK/runroot" --tmpdir "$WORK/libpod" --runtime "$RUNTIME" "$@"; }
P="timeout -k 5 $deadline podman --root $WORK/root --runroot $WORK/runroot --tmpdir $WORK/libpod --runtime $RUNTIME"
run() { p run --rm --network none "$@"; }
freezer() { frozen_or_thawed "$(p inspect --format '{{.State.Pid}}' "$1")"; }
logs_have() { p logs "$1" 2>&1 | grep -q "$2"; }
engine_stop() { p rm -fa -t 0 >/dev/null 2>&1; engine_remove; }

make_rootfs "$WORK/rootfs"
tar -C "$WORK/rootfs" -cf - . | p import --change ENV=PATH=/bin:/usr/bin - box >/dev/null 2>&1 || { echo "Bail out! podman cannot import an image"; exit 2; }

[ "$part" != all ] || part='core more flags new pods'
opens_tun || UNSHOWABLE=slirp4netns UNSHOWABLE_REASON="this kernel has no /dev/net/tun"
command -v slirp4netns >/dev/null && [ "$(major podman --version)" -lt 6 ] || UNSHOWABLE=${UNSHOWABLE:+$UNSHOWABLE|}slirp4netns UNSHOWABLE_REASON='podman 6 has no slirp4netns'
! no_controllers || UNSHOWABLE=${UNSHOWABLE:+$UNSHOWABLE|}'--memory|--cpu|--cgroup-conf|--pids|--blkio|--device-.*bps|^stats$|^update|--oom|limits' UNSHOWABLE_REASON='the controllers are in cgroup v1, which podman 6 does not start with'
for part in $part; do . "$here/podman-$part.sh"; done
engine_end
