#!/usr/bin/env bash
# The short mode, for CI: the cells nearest to the runtime, with the engines of Debian forky, and podman of experimental, on this machine's kernel.
#   [RUNTIME=dist/tsrun] conformance/modern/short.sh
# Makes both roots first, where they are not there (a minute each on a cold cache). Ends with the sum of all: N passed, N failed.
set -u
here=$(dirname "$(readlink -f "$0")")
export RUNTIME=${RUNTIME:-dist/tsrun}
cd "$here/../.." || exit
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# part ROOT [OPTION] SCRIPT ARGUMENT...
part() {
  local line began=$SECONDS
  "$here/run.sh" "$@" >"$log" 2>&1
  line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
  echo "# $*: ${line:-no result} ($((SECONDS - began)) s)"
  if [ -n "$line" ]; then
    grep -aE -A8 '^not ok' "$log"
    passed=$((passed + ${line%% *})) line=${line#*, } failed=$((failed + ${line%% *}))
  else
    tail -n 20 "$log"
    echo "not ok 0 - $* ends with a result"
    failed=$((failed + 1))
  fi
}
root() { "$here/root.sh" "$1" >/dev/null || { echo "not ok 0 - the root of $1"; echo "$passed passed, $((failed + 1)) failed"; exit 1; }; }

root forky
sed -nE 's/^(podman|containerd|docker.io|runc|crun) /# \1 /p' "$("$here/root.sh" forky --print)/etc/tsrun-modern.versions"
part forky bash conformance/engines/podman.sh core
part forky bash conformance/engines/containerd.sh core
part forky bash conformance/engines/docker.sh core
part forky bash conformance/engines/cri.sh core
part forky bash conformance/engines/rootless-alone.sh
root experimental
part --cgroup2 experimental bash conformance/engines/podman.sh core
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
