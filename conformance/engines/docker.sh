#!/usr/bin/env bash
# Docker with one runtime: RUNTIME=/path/to/runtime bash conformance/engines/docker.sh [core|all]
# Needs root, docker.io, containerd, iptables, busybox-static, script and expect. A dockerd of its own in a temporary folder; nothing is
# downloaded. Its data folder stays mounted on itself after live-restore.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
PARTS='core all'
engine_main "$@"
set -u
part=${1:-all}
ENGINE_MOUNTS=$WORK/exec/netns/default$'\n'$WORK/data ENGINE_CGROUPS='docker|parent|docker/buildkit' ENGINE_STATES="$WORK/exec/runtime-*/moby/*"

# The runtime is there by name and as the default. Most cells have no network; docker-daemon.sh has daemons that are set up in other ways.
export DOCKER_HOST=unix://$WORK/docker.sock DOCKER_CONFIG=$WORK/home
dockerd_start() { # dockerd_start FLAG...
  dockerd --data-root "$WORK/data" --exec-root "$WORK/exec" --pidfile "$WORK/docker.pid" -H "$DOCKER_HOST" --config-file "$WORK/daemon.json" \
    "${below[@]}" "$@" >>"$WORK/dockerd.log" 2>&1 &
  daemon=$!
  eventually d version || { tail -5 "$WORK/dockerd.log"; echo "Bail out! dockerd does not answer"; exit 2; }
}
# dockerd ends when a containerd of its own is not up after 15 seconds, which is too short for an emulated machine: there it gets one.
below=() containerd=
if [ -n "${PATIENCE:-}" ]; then
  printf 'version = 2\nroot = "%s/croot"\nstate = "%s/cstate"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "%s/containerd.sock"\n' "$WORK" "$WORK" "$WORK" >"$WORK/containerd.toml"
  containerd --config "$WORK/containerd.toml" >"$WORK/containerd.log" 2>&1 &
  containerd=$! below=(--containerd "$WORK/containerd.sock")
  for _ in 1 2 3; do eventually ctr --address "$WORK/containerd.sock" version && break; done
fi
echo '{}' >"$WORK/daemon.json"
named=(--add-runtime "rig=$RUNTIME" --default-runtime rig)
d() { timeout -k 5 $deadline "$DOCKER" "$@"; }
D="timeout -k 5 $deadline $DOCKER"
run() { d run --rm --network none "$@"; }
engine_stop() {
  d ps -aq 2>/dev/null | xargs -r "$DOCKER" rm -f >/dev/null 2>&1
  engine_rest
  engine_remove
}
engine_rest() { end_daemon "$daemon"; [ -z "$containerd" ] || end_daemon "$containerd"; }
without_apparmor
dockerd_start "${named[@]}" "${alone[@]}"
make_rootfs "$WORK/rootfs"
tar -C "$WORK/rootfs" -cf - . | d import -c 'ENV PATH=/bin:/usr/bin' - box >/dev/null || { echo "Bail out! no image"; exit 2; }

. "$here/docker-core.sh"
[ "$(major dockerd --version)" -lt 28 ] || [ "$part" = core ] || . "$here/docker-new.sh"
[ "$part" = core ] || { . "$here/docker-more.sh"; . "$here/docker-daemon.sh"; }
engine_end
