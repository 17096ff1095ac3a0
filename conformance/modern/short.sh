#!/usr/bin/env bash
# The short mode, for CI: the cells nearest to the runtime, with the engines of Debian forky, and podman of experimental, on this machine's kernel.
#   [RUNTIME=dist/tsrun] [ONLY=CELLS] conformance/modern/short.sh [forky|experimental]
# Makes the roots first, where they are not there (a minute each on a cold cache). Ends with the sum of all: N passed, N failed.
set -u
case ${1:-} in
  '' | forky | experimental) which=${1:-forky experimental} ;;
  --help | -h) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "short: Unknown argument: $1 (--help says what there is)" >&2; exit 1 ;;
esac
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

for suite in $which; do root "$suite"; done
versions() { sed -nE 's/^(podman|containerd|docker.io|runc|crun) /# \1 /p' "$("$here/root.sh" "$1" --print)/etc/tsrun-modern.versions"; }
forky() {
  versions forky
  # Two at a time, for much of it is waiting.
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
}
# cgroup v2 alone takes controllers for itself that the others want to mount as v1 (isolate.sh): nothing else begins meanwhile.
experimental() { part --cgroup2 experimental bash conformance/engines/podman.sh core; }
for suite in $which; do $suite; done
for done in "$folder"/*.done; do
  line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "${done%.done}.log" | tail -n 1)
  echo "# $(cat "$done"): ${line:-no result}"
  if [ -n "$line" ]; then
    grep -aE '^ok' "${done%.done}.log"
    grep -aE -A8 '^not ok' "${done%.done}.log"
    echo "ok 0 - $(sed 's/ ([0-9]* s)$//' "$done") ends with a result"
    passed=$((passed + ${line%% *})) line=${line#*, } failed=$((failed + ${line%% *}))
  else
    tail -n 20 "${done%.done}.log"
    echo "not ok 0 - $(sed 's/ ([0-9]* s)$//' "$done") ends with a result"
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed in $SECONDS s"
[ "$failed" = 0 ]
