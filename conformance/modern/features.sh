#!/usr/bin/env bash
# What docs/decisions/0011-newer-kernels.md says is used of newer kernels, on whatever kernel this is:
#   conformance/vm/run.sh --timeout 900 -- bash conformance/modern/features.sh                             Debian 12's kernel
#   conformance/modern/run.sh --vm forky bash conformance/modern/features.sh                               forky's
#   VM_APPEND='quiet cgroup_no_v1=all,named' conformance/modern/run.sh --vm forky bash …/features.sh       without any cgroup v1
# Arguments choose among its parts (an emulated machine may have time for some only): cases, or a test's path as below.
# RUNTIME: of the conformance cases, default dist/tsrun; with another one they are all that is run.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit
runtime=${RUNTIME:-dist/tsrun}
cases=memoryPolicy-MPOL_WEIGHTED,notify-wait-killable,idmap-hugetlbfs,idmap-of-idmapped,nosuid-host,fit-frozen,fit-not-empty,cgroups/v2-unified,lifecycle/kill
echo "# $(uname -r); v1: $(awk '!/^#/ && $2 != 0' /proc/cgroups 2>/dev/null | wc -l) hierarchies, $(grep -cw cgroup /proc/filesystems) file system"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# cgroup.kill, threaded cgroups, the freezer, CLONE_INTO_CGROUP; seccomp's ENOSYS for calls of tomorrow; mapped mounts.
parts=${*:-cases src/linux/cgroup/kernel-v2 src/linux/seccomp/enosys src/linux/seccomp/kernel src/executor/idmap}
passed=0 failed=0
if [[ " $parts " = *' cases '* ]]; then
  node src/build/run-ts.mjs conformance/run.ts --runtime "$runtime" --jobs 2 --filter "$cases" | tee "$log" | grep -v '^ok .*[^#]$\|^ok [0-9]* - [^ ]*$'
  sum=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log")
  passed=${sum%% *} failed=$(sed -E 's/.* ([0-9]+) failed.*/\1/' <<<"$sum")
fi
if [ "$(basename "$runtime")" = tsrun ]; then
  for part in ${parts/cases/}; do
    node src/build/test.mjs "$part" >"$log" 2>&1
    status=$?
    count=$(sed 's/\x1b\[[0-9;]*m//g' "$log" | sed -nE 's/^ *Passed: +([0-9]+).*/\1/p' | tail -n 1)
    passed=$((${passed:-0} + ${count:-0}))
    echo "# $part: ${count:-none} passed, exit status $status"
    [ $status = 0 ] || { failed=$((${failed:-0} + 1)); echo "not ok - $part"; tail -n 30 "$log" | sed 's/^/  /'; }
  done
fi
echo "${passed:-0} passed, ${failed:-1} failed"
[ "${failed:-1}" = 0 ]
