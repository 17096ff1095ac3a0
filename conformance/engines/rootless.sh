#!/usr/bin/env bash
# podman for an ordinary user: RUNTIME=/path/to/runtime bash conformance/engines/rootless.sh [all|core|user|more|flags|pods]
# The same cells as podman.sh. Needs root to set the user up (in files that only this script sees), podman, uidmap, slirp4netns.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
PARTS='all core user more flags pods'
engine_main "$@"
set -u
part=${*:-all}
ENGINE_STATES="/run/user/4321/$NAME/*"
. "$here/rootless-user.sh"
mkdir -m 777 "$WORK/shared"

cat >"$WORK/containers.conf" <<CONF
[containers]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "$RUNTIME"
runtime_supports_json = ["crun", "runc", "$NAME"]
runtime_supports_nocgroup = ["crun", "$NAME"]
CONF
export CONTAINERS_CONF=$WORK/containers.conf
# --ulimit host: the hard limits that podman would ask for cannot be raised. Neither can they be handed to exec and the like.
U="setpriv --reuid $user --regid $user --clear-groups env -u SUDO_USER HOME=$WORK/home XDG_RUNTIME_DIR=/run/user/$user USER=rig"
P="$U timeout -k 5 60 podman --root $WORK/storage/root --runroot $WORK/storage/run --tmpdir $WORK/storage/tmp --runtime $RUNTIME"
ULIMIT_HOST='--ulimit host'
p() {
  local verb=$1
  shift
  case $verb in run | create) set -- --ulimit host "$@" ;; esac
  (cd / && $P "$verb" "$@")
}
run() { p run --rm --network none "$@"; }
freezer() { frozen_or_thawed "$(p inspect --format '{{.State.Pid}}' "$1")"; }
logs_have() { p logs "$1" 2>&1 | grep -q "$2"; }
engine_stop() { p rm -fa -t 0 >/dev/null 2>&1; user_stop; engine_remove; }

make_rootfs "$WORK/rootfs"
tar -C "$WORK/rootfs" -cf - . | p import --change ENV=PATH=/bin:/usr/bin - box >/dev/null 2>"$WORK/err" || { cat "$WORK/err"; echo "Bail out! podman cannot import an image"; exit 2; }

UNSHOWABLE_REASON='an ordinary user has no cgroup of his own here, or not this right'
UNSHOWABLE='seccomp=unconfined does not|--ipc host|--memory|--cpu|--pids|--cgroup-parent|^stats$|pause|^update$|devices are limited|^--uidmap( seen|$)|with the ids of containers|--ulimit|bind-propagation|a mount|rprivate|--device |--device-cgroup|--oom|--userns container|--network ns|into a user namespace'
[ "$part" != all ] || part='core user more flags pods'
# podman commits what it has paused, and on cgroup v2 an ordinary user's, too.
[ "$CGROUP" != 2 ] || UNSHOWABLE+='|diff and commit|--cgroup-conf'
opens_tun || UNSHOWABLE+="|slirp4netns|bridge"
for part in $part; do . "$here/podman-$part.sh"; done
# podman's pause process keeps the user namespace; it is podman's, not the runtime's.
engine_rest() { pkill -u $user -f 'podman|catatonit' 2>/dev/null; }
engine_end
