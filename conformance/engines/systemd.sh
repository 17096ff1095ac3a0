#!/usr/bin/env bash
# systemd's cgroups: the runtime by itself, podman as root and as an ordinary user, its Quadlet, containerd and Docker. Needs systemd as process 1
# and cgroup v2, on a machine of its own:
#   RUNTIME=dist/tsrun conformance/vm/run.sh --systemd --timeout 1800 -- conformance/engines/systemd.sh [all|short|PART...]
# Parts: unit podman quadlet rootless rootlessdocker containerd docker. "short" is the most telling cells of each. conformance/engines/cri.sh systemd is Kubernetes' road.
NO_ISOLATION=yes
. "$(dirname "$(readlink -f "$0")")/lib.sh"
PARTS='all short unit podman quadlet rootless rootlessdocker containerd docker'
engine_main "$@"
[ -d /run/systemd/system ] || { echo '1..0 # SKIP systemd is not process 1; see conformance/vm'; exit 0; }
set -u
parts=${*:-all}
case $parts in
  all) wanted_parts='unit podman quadlet rootless rootlessdocker containerd docker' ;;
  short) wanted_parts='unit podman rootless containerd' ;; # one daemon more takes half a minute to come up
  *) wanted_parts=$parts ;;
esac

show() { systemctl show "$1" -P "$2"; }
shown() { local unit=$1 name; shift; for name in "$@"; do echo "$name=$(show "$unit" "$name")"; done; }
scopes() { systemctl list-units --all --plain --no-legend --type scope "$1" | awk '{ print $1, $3 }'; }
files() { local dir=/sys/fs/cgroup$1 file; shift; for file in "$@"; do echo "$file $(cat "$dir/$file")"; done; }
in_part() { [ "$parts" != short ]; } # after the cells that "short" has

# Units and state of ours; conmon and the pause process have scopes that are podman's own.
leftovers() {
  local state
  for pattern in 'cell-*' "$NAME-*" 'libpod-*' 'rig-*' 'docker-*'; do scopes "$pattern"; done | grep -v conmon | sed 's/^/unit /'
  systemctl list-units --plain --no-legend --failed | grep -E 'cell|libpod|rig|docker|conmon' | sed 's/^/failed /'
  find /sys/fs/cgroup -type d | grep -E 'libpod-[0-9a-f]{64}\.scope|cell-[a-z]*\.scope|rig-.*\.scope|docker-.*\.scope' | sed 's/^/cgroup /'
  for state in "/run/$NAME"/* "/run/user/4242/$NAME"/*; do [ ! -e "$state" ] || echo "state $state"; done
}
config_for() { # config_for FILE CGROUPSPATH COMMAND [RESOURCES-JSON [ANNOTATIONS-JSON]]: changes what the runtime's "spec" has written
  jq --arg rootfs "$WORK/rootfs" --arg cgroup "$2" --arg command "$3" --argjson resources "${4:-{\}}" --argjson annotations "${5:-{\}}" '
    .root.path = $rootfs | .process.terminal = false | .process.args = ["sh", "-c", $command] | .linux.resources += $resources | .annotations = $annotations
    | if $cgroup == "" then del(.linux.cgroupsPath) else .linux.cgroupsPath = $cgroup end' "$1" >"$WORK/config.new" && cat "$WORK/config.new" >"$1"
}
podman_conf() { # podman_conf FILE
  cat >"$1" <<CONF
[containers]
log_driver = "k8s-file"
[engine]
cgroup_manager = "systemd"
events_logger = "file"
runtime = "$RUNTIME"
runtime_supports_json = ["crun", "runc", "$NAME"]
runtime_supports_nocgroup = ["crun", "$NAME"]
CONF
}
stops=()
engine_rest() { local stop; for stop in "${stops[@]}"; do $stop >/dev/null 2>&1; done; stops=(); }
engine_stop() { engine_rest; engine_remove; }

make_rootfs "$WORK/rootfs"
for part in $wanted_parts; do
  . "$here/systemd-$part.sh"
  engine_rest
  nothing_left "$part: leaves nothing behind"
  systemctl reset-failed # what this part has left is not the next one's
done
engine_end looked
