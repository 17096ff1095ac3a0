#!/usr/bin/env bash
# Runs a command in a root of a newer Debian, on this machine's kernel or in a virtual machine with that suite's own.
#   conformance/modern/run.sh [--vm] [--systemd] [--cgroup2] forky|experimental COMMAND [ARG...]
# --vm       that suite's kernel, cgroup v2 only, every capability; --systemd: that suite's systemd as process 1 (conformance/vm/run.sh; $VM_OPTIONS go there)
# --cgroup2  on this machine's kernel: /sys/fs/cgroup is cgroup v2 alone, with the controllers that v1 left to it (podman 6 starts nowhere else)
# The root is made if it is not there (root.sh). This folder is seen there under its own name, writable; all else that the command writes goes to a scratch
# folder, and away with it. A word that is just `crun` or `runc` in RUNTIME is the root's own.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
project=$(readlink -f "$here/../..")
mode=host cgroup2=
while [ $# -gt 0 ]; do
  case $1 in
    --vm) mode=plain ;;
    --systemd) mode=systemd ;;
    --cgroup2) cgroup2=yes ;;
    --help | -h) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit ;;
    -*) echo "modern: Unknown argument: $1 (--help says what there is)" >&2; exit 1 ;;
    *) break ;;
  esac
  shift
done
[ $# -ge 2 ] || { echo "modern: wants a root and a command (--help says what there is)" >&2; exit 1; }
name=$1
shift

if [ -n "${MODERN_SCRATCH:-}" ]; then # in the mount namespace
  root=$MODERN_ROOT scratch=$MODERN_SCRATCH new=$MODERN_SCRATCH/new
  unset MODERN_ROOT MODERN_SCRATCH
  mkdir "$scratch"/{new,upper,work,tmp}
  chmod 1777 "$scratch/tmp"
  mount -t overlay -o "lowerdir=$root,upperdir=$scratch/upper,workdir=$scratch/work" overlay "$new"
  # An engine's overlays want a real file system below them.
  mount --bind "$scratch/tmp" "$new/tmp"
  mkdir "$scratch/tmp/var" && mount --bind "$scratch/tmp/var" "$new/var/tmp"
  mount -t proc proc "$new/proc"
  mount --rbind /sys "$new/sys"
  mount --rbind /dev "$new/dev"
  mount -t tmpfs -o mode=755 tmpfs "$new/run"
  mkdir -m 1777 "$new/run/lock"
  # Over all of these, for they may lie below /tmp.
  mkdir -p "$new$project" "$new/mnt/old"
  mount --bind "$project" "$new$project"
  modules=$(readlink -f "$project/node_modules")
  if [ "$modules" != "$project/node_modules" ] && [ -d "$modules" ]; then mkdir -p "$new$modules"; mount --bind "$modules" "$new$modules"; fi
  for folder in ${MODERN_BRINGS:-}; do mkdir -p "$new$folder"; mount --bind "$folder" "$new$folder"; done
  if [ -n "$cgroup2" ]; then
    umount -R "$new/sys/fs/cgroup"
    mount -t cgroup2 cgroup2 "$new/sys/fs/cgroup"
  fi
  cd "$new"
  # Not chroot: in one, / is no mount, and `unshare --propagation` fails.
  pivot_root . mnt/old
  umount -l /mnt/old
  cd "$project"
  exec "$@"
fi

root=$("$here/root.sh" "$name")
case ${RUNTIME:-} in crun) RUNTIME=/usr/bin/crun ;; runc) RUNTIME=/usr/sbin/runc ;; ?*) RUNTIME=$(readlink -f "$RUNTIME") ;; esac
# What was built by hand is seen there, too.
[ -z "${CRITEST:-}" ] || { CRITEST=$(readlink -f "$CRITEST"); MODERN_BRINGS="${MODERN_BRINGS:-} $(dirname "$CRITEST")"; }
for variable in CRIO BUILDKIT; do [ -z "${!variable:-}" ] || { printf -v "$variable" %s "$(readlink -f "${!variable}")"; MODERN_BRINGS="${MODERN_BRINGS:-} ${!variable}"; }; done
export MODERN_BRINGS
if [ "$mode" != host ]; then
  options=(--root "$root")
  [ "$mode" = plain ] || options+=(--systemd)
  for folder in ${MODERN_BRINGS:-}; do options+=(--bring "$folder"); done
  for variable in RUNTIME CRITEST CRIO BUILDKIT FOCUS; do [ -z "${!variable:-}" ] || { export "${variable?}"; options+=(--env "$variable"); }; done
  # shellcheck disable=SC2086 # options are words
  exec "$project/conformance/vm/run.sh" "${options[@]}" ${VM_OPTIONS:-} -- "$@"
fi
scratch=$(mktemp -d "$(dirname "$root")/scratch.XXXXXX")
trap 'rm -rf --one-file-system "$scratch"' EXIT
status=0
clean=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 CI=true PODMAN_IGNORE_CGROUPSV1_WARNING=1)
for variable in RUNTIME ONLY RESULTS ENGINE_AS PATIENCE PEER CRITEST CRIO BUILDKIT FOCUS KEEP_LOG; do [ -z "${!variable:-}" ] || clean+=("$variable=${!variable}"); done
# In a mount namespace all mounts go with the last process of it; the suites make pid and network namespaces of their own (isolate.sh).
MODERN_ROOT=$root MODERN_SCRATCH=$scratch unshare --mount --propagation private bash "$0" ${cgroup2:+--cgroup2} "$name" "${clean[@]}" "$@" || status=$?
exit "$status"
