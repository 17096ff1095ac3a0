#!/usr/bin/env bash
# Docker's rootless mode, a dockerd below rootlesskit as an ordinary user, with one runtime: RUNTIME=/path/to/runtime bash conformance/engines/docker-rootless.sh
# The cells of docker.sh core. Needs root to set the user up (in files that only this script sees), docker.io, rootlesskit, slirp4netns, uidmap, busybox-static, script, expect.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
start=/usr/share/docker.io/contrib/dockerd-rootless.sh
engine_words "$@"
[ -x $start ] && command -v rootlesskit >/dev/null || { echo '1..0 # SKIP there is no rootlesskit, or no dockerd-rootless.sh'; exit 0; }
engine_main "$@"
set -u
. "$here/rootless-user.sh"
opens_tun || { echo '1..0 # SKIP slirp4netns cannot open /dev/net/tun here'; exit 0; }
ENGINE_STATES="/run/user/$user/docker/runtime-*/moby/*"

export DOCKER_HOST=unix:///run/user/$user/docker.sock DOCKER_CONFIG=$WORK/home
d() { timeout -k 5 $deadline "$DOCKER" "$@"; }
D="timeout -k 5 $deadline $DOCKER"
run() { d run --rm --network none "$@"; }
# daemon.json as docs/docker.md has it, where a user has his.
mkdir -p "$WORK/home/.config/docker"
sed -n '/^    {/,/^    }/s/^    //p' "$here/../../docs/docker.md" | sed "s#/usr/local/bin/tsrun#$RUNTIME#; s/\"tsrun\"/\"rig\"/" >"$WORK/home/.config/docker/daemon.json"
chown -R $user:$user "$WORK/home/.config"
as_rig() { cd / && exec setpriv --reuid $user --regid $user --clear-groups env -i "PATH=/usr/sbin:$PATH" "HOME=$WORK/home" "XDG_RUNTIME_DIR=/run/user/$user" "TMPDIR=$TMPDIR" USER=rig "$@"; }
(as_rig $start --data-root "$WORK/storage/docker" -H "$DOCKER_HOST" "${alone[@]}") >"$WORK/dockerd.log" 2>&1 &
daemon=$!
engine_rest() { end_daemon "$daemon"; }
engine_stop() { d ps -aq 2>/dev/null | xargs -r "$DOCKER" rm -f >/dev/null 2>&1; engine_rest; user_stop; engine_remove; }
eventually d version || eventually d version || { tail -5 "$WORK/dockerd.log"; echo 'Bail out! dockerd does not answer'; exit 2; }
mkdir -m 777 "$WORK/shared"
make_rootfs "$WORK/rootfs"
tar -C "$WORK/rootfs" --exclude ./dev -cf - . | d import -c 'ENV PATH=/bin:/usr/bin' - box >/dev/null || { echo 'Bail out! no image'; exit 2; }

cell 'rootless: info says so' 'true' eval 'd info --format "{{.SecurityOptions}}" | grep -c rootless | sed s/1/true/'
cell 'rootless: root inside is the user outside' " 0 $user 1" eval 'run box head -n 1 /proc/self/uid_map | tr -s " "'
# docs/docker.md: where the state is, for the user himself.
listed() { local id; id=$(d run -d --network none box sleep 1000); (as_rig "$RUNTIME" --root "/run/user/$user/docker/runtime-runc/moby" list -q) | sed "s/$id/ID/"; d rm -f "$id" >/dev/null; }
cell 'rootless: list' 'ID' listed
UNSHOWABLE_REASON='an ordinary user has no cgroup of his own here, and no namespace of the host'
UNSHOWABLE='^--(memory|cpu|pids|cgroup-parent|pid host|network host)'
. "$here/docker-core.sh"
engine_end
