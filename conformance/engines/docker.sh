#!/usr/bin/env bash
# Docker with one runtime: RUNTIME=/path/to/runtime bash conformance/engines/docker.sh [core|all]
# Needs root, docker.io, containerd, iptables, busybox-static, script and expect. A dockerd of its own in a temporary folder; nothing is
# downloaded. Its data folder stays mounted on itself after live-restore.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
engine_main "$@"
set -u
part=${1:-all}
ENGINE_MOUNTS=$WORK/exec/netns/default$'\n'$WORK/data ENGINE_CGROUPS='docker|parent|docker/buildkit' ENGINE_STATES="$WORK/exec/runtime-*/moby/*"

# The runtime is there by name and as the default. Most cells have no network; docker-daemon.sh has daemons that are set up in other ways.
DOCKER=docker
[ ! -x /usr/bin/docker ] || DOCKER=/usr/bin/docker
export DOCKER_HOST=unix://$WORK/docker.sock DOCKER_CONFIG=$WORK/home
dockerd_start() { # dockerd_start FLAG...
  for _ in 1 2 3; do # dockerd ends when its containerd is not up after 15 seconds, which is too short for the first one in an emulated machine
    dockerd --data-root "$WORK/data" --exec-root "$WORK/exec" --pidfile "$WORK/docker.pid" -H "$DOCKER_HOST" --config-file "$WORK/daemon.json" \
      "$@" >>"$WORK/dockerd.log" 2>&1 &
    daemon=$!
    eventually dockerd_decided
    d version >/dev/null 2>&1 && return
    ! kill -0 "$daemon" 2>/dev/null || break
  done
  tail -5 "$WORK/dockerd.log"
  echo "Bail out! dockerd does not answer"
  exit 2
}
dockerd_decided() { d version || ! kill -0 "$daemon"; }
echo '{}' >"$WORK/daemon.json"
named=(--add-runtime "rig=$RUNTIME" --default-runtime rig)
alone=(--bridge=none --iptables=false --ip6tables=false --ip-masq=false)
d() { timeout -k 5 $deadline "$DOCKER" "$@"; }
D="timeout -k 5 $deadline $DOCKER"
run() { d run --rm --network none "$@"; }
engine_stop() {
  d ps -aq 2>/dev/null | xargs -r "$DOCKER" rm -f >/dev/null 2>&1
  engine_rest
  engine_remove
}
engine_rest() { end_daemon "$daemon"; }
without_apparmor
dockerd_start "${named[@]}" "${alone[@]}"
make_rootfs "$WORK/rootfs"
tar -C "$WORK/rootfs" -cf - . | d import -c 'ENV PATH=/bin:/usr/bin' - box >/dev/null || { echo "Bail out! no image"; exit 2; }

. "$here/docker-core.sh"
[ "$(major dockerd --version)" -lt 28 ] || [ "$part" = core ] || . "$here/docker-new.sh"
[ "$part" = core ] || { . "$here/docker-more.sh"; . "$here/docker-daemon.sh"; }
engine_end
