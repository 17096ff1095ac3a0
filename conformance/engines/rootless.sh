#!/usr/bin/env bash
# podman for an ordinary user: RUNTIME=/path/to/runtime bash conformance/engines/rootless.sh [core|all]
# The same cells as podman.sh. Needs root to set the user up (in files that only this script sees), podman, uidmap, slirp4netns.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
engine_main "$@"
set -u
part=${1:-all}
ENGINE_STATES="/run/user/4321/$NAME/*"
ENGINE_MOUNTS=$(printf '%s\n' /etc/{passwd,group,subuid,subgid})
user=4321
for file in passwd group subuid subgid; do cp /etc/$file "$WORK/$file"; done
echo "rig:x:$user:$user::$WORK/home:/bin/sh" >>"$WORK/passwd"
echo "rig:x:$user:" >>"$WORK/group"
echo rig:500000:65536 | tee -a "$WORK/subuid" >>"$WORK/subgid"
for file in passwd group subuid subgid; do mount --bind "$WORK/$file" /etc/$file; done
mkdir -p /run/user/$user "$WORK/storage"
chmod 700 /run/user/$user
chown -R $user:$user /run/user/$user "$WORK/home" "$WORK/tmp" "$WORK/storage"
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
p() {
  local verb=$1
  shift
  case $verb in run | create) set -- --ulimit host "$@" ;; esac
  (cd / && $P "$verb" "$@")
}
run() { p run --rm --network none "$@"; }
engine_stop() { p rm -fa -t 0 >/dev/null 2>&1; for f in passwd group subuid subgid; do umount /etc/$f; done 2>/dev/null; engine_remove; }

make_rootfs "$WORK/rootfs"
tar -C "$WORK/rootfs" -cf - . | p import - box >/dev/null 2>"$WORK/err" || { cat "$WORK/err"; echo "Bail out! podman cannot import an image"; exit 2; }

UNSHOWABLE_REASON='an ordinary user has no cgroup of his own here, or not this right'
UNSHOWABLE='seccomp=unconfined does not|--ipc host|--memory|--cpu|--pids|--cgroup-parent|^stats$|pause|devices are limited|--uidmap|--userns auto|bridge|--ulimit$'
. "$here/podman-core.sh"
[ "$part" = core ] || . "$here/podman-more.sh"
# podman's pause process keeps the user namespace; it is podman's, not the runtime's.
engine_rest() { pkill -u $user -f 'podman|catatonit' 2>/dev/null; }
engine_end
