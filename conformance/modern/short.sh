#!/usr/bin/env bash
# The short mode, for CI: the cells nearest to the runtime, with the engines of Debian forky, and podman of experimental, on this machine's kernel.
#   [RUNTIME=dist/tsrun] conformance/modern/short.sh
# Makes both roots first, where they are not there (a minute each on a cold cache). Ends with the sum of all: N passed, N failed.
set -u
here=$(dirname "$(readlink -f "$0")")
export RUNTIME=${RUNTIME:-dist/tsrun}
cd "$here/../.." || exit
passed=0 failed=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# part ROOT [OPTION] SCRIPT ARGUMENT...: its whole output goes to a file, and one line about it to another
part() {
  local began=$SECONDS log
  log=$folder/$(printf '%s_' "$@" | tr -c 'a-z0-9\n' _).log
  "$here/run.sh" "$@" >"$log" 2>&1
  echo "$* ($((SECONDS - began)) s)" >"${log%.log}.done"
}
root() { "$here/root.sh" "$1" >/dev/null || { echo "not ok 0 - the root of $1"; echo "0 passed, 1 failed"; exit 1; }; }

root forky
root experimental
sed -nE 's/^(podman|containerd|docker.io|runc|crun) /# \1 /p' "$("$here/root.sh" forky --print)/etc/tsrun-modern.versions"
# Two at a time, for much of it is waiting; but cgroup v2 alone takes controllers for itself that the others want to mount as v1 (isolate.sh).
{
  part forky bash conformance/engines/podman.sh core
  part forky bash conformance/engines/containerd.sh core
} &
{
  part forky bash conformance/engines/docker.sh core
  part forky bash conformance/engines/cri.sh core
} &
wait
part forky bash conformance/engines/rootless-alone.sh
part --cgroup2 experimental bash conformance/engines/podman.sh core
for done in "$folder"/*.done; do
  line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "${done%.done}.log" | tail -n 1)
  echo "# $(cat "$done"): ${line:-no result}"
  if [ -n "$line" ]; then
    grep -aE -A8 '^not ok' "${done%.done}.log"
    passed=$((passed + ${line%% *})) line=${line#*, } failed=$((failed + ${line%% *}))
  else
    tail -n 20 "${done%.done}.log"
    echo "not ok 0 - $(cat "$done") ends with a result"
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed in $SECONDS s"
[ "$failed" = 0 ]
