#!/usr/bin/env bash
# Runs a command on a host of its own, so that a rig can count what is left over and nothing of it stays on the machine:
# private mount, pid, network and cgroup namespaces, a private /run, /dev/shm, /dev/null and cgroup tree.
#
#   conformance/lib/isolate.sh [--keep-run] [--host-network] [--no-spare] -- COMMAND [ARG...]
#
# The command's exit status is passed through; 97 means that it left cgroups behind (they are named and removed).
# On a cgroup v1 or hybrid host the controllers that nothing uses (hugetlb, perf_event, net_cls, net_prio) are mounted
# as v1 hierarchies too, because crun refuses a cgroup v2 mount that still owns a controller; --no-spare leaves them alone.
set -euo pipefail

keep_run=no network=--net spare='hugetlb perf_event net_cls net_prio'
while [ $# -gt 0 ]; do
  case $1 in
    --keep-run) keep_run=yes ;;
    --host-network) network= ;;
    --no-spare) spare= ;;
    --) shift; break ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "isolate: needs root" >&2; exit 77; }

# One line a hierarchy: "mount point<TAB>type<TAB>option" ('-' for cgroup2).
hierarchies() {
  awk '$1 == "cgroup2" || $3 == "cgroup2" { print $2 "\tcgroup2\t-"; next }
       $3 == "cgroup" {
         n = split($4, o, ","); got = ""
         for (i = 1; i <= n; i++) if (o[i] !~ /^(rw|ro|nosuid|nodev|noexec|relatime|noatime|xattr|clone_children)$/ && o[i] !~ /^release_agent=/) got = got (got == "" ? "" : ",") o[i]
         print $2 "\tcgroup\t" got }' /proc/self/mounts
}

# A controller that cgroup v2 has given to a child has no v1 hierarchy, and the kernel's words for that blame something else.
mount_v1() { # option, mount point
  local said seen child='' dir
  said=$(mount -t cgroup -o "$1" cgroup "$2" 2>&1) && return
  seen=$(mktemp -d)
  if mount -t cgroup2 cgroup2 "$seen"; then
    while IFS= read -r dir; do
      ! grep -qw -- "$1" "$dir/cgroup.controllers" 2>/dev/null || { child=${dir#"$seen"}; break; }
    done < <(find "$seen" -mindepth 1 -type d)
    umount "$seen"
  fi
  rmdir "$seen"
  if [ -n "$child" ]; then
    echo "isolate: cannot mount $1 as cgroup v1: cgroup v2 has given it to its child $child; remove that, or wait for whoever made it" >&2
  else
    echo "isolate: cannot mount $1 as cgroup v1: ${said%%$'\n'*}" >&2
  fi
  return 1
}

mount_hierarchies() { # reads the lines that hierarchies() printed; the first one decides: cgroup2 alone or a tmpfs of hierarchies
  local list=$1 point type option
  umount -R /sys/fs/cgroup
  if [ "$list" = $'/sys/fs/cgroup\tcgroup2\t-' ]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    return
  fi
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while IFS=$'\t' read -r point type option; do
    mkdir -p "$point"
    if [ "$type" = cgroup2 ]; then mount -t cgroup2 cgroup2 "$point"; else mount_v1 "$option" "$point"; fi
  done <<<"$list"
}

case ${RIG_STAGE:-outside} in
outside)
  self=$(readlink -f "$0")
  flags=()
  [ $keep_run = yes ] && flags+=(--keep-run)
  [ -n "$network" ] || flags+=(--host-network)
  [ -n "$spare" ] || flags+=(--no-spare)
  RIG_STAGE=mounts exec unshare --mount --propagation private "$self" "${flags[@]}" -- "$@"
  ;;

mounts)
  self=$(readlink -f "$0")
  [ $keep_run = yes ] || [ -d /run/systemd/system ] || mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm
  list=$(hierarchies)
  if [ "$list" != $'/sys/fs/cgroup\tcgroup2\t-' ]; then
    for name in $spare; do
      awk -v n="$name" '$1 == n && $4 == 1 { found = 1 } END { exit !found }' /proc/cgroups || continue
      grep -q "/$name"$'\t' <<<"$list" || list+=$'\n'"/sys/fs/cgroup/$name"$'\tcgroup\t'"$name"
    done
  fi
  mount_hierarchies "$list"
  rig=tsrun-rig.$$
  cgroups=()
  # What an earlier rig left because it was killed.
  for dir in /sys/fs/cgroup/tsrun-rig.* /sys/fs/cgroup/*/tsrun-rig.*; do
    [ ! -d "$dir" ] || [ -d "/proc/${dir##*.}" ] || find "$dir" -depth -type d -exec rmdir {} + || true
  done
  while IFS=$'\t' read -r point _; do cgroups+=("$point/$rig"); done <<<"$list"
  for dir in "${cgroups[@]}"; do
    parent=${dir%/*}
    mkdir "$dir"
    for file in cpuset.cpus cpuset.mems; do
      if [ -e "$dir/$file" ] && [ -e "$parent/$file" ]; then cat "$parent/$file" >"$dir/$file"; fi
    done
  done
  null=$(mktemp -d /run/null.XXXXXX)
  mount -t tmpfs -o mode=755 tmpfs "$null"
  mknod -m 666 "$null/null" c 1 3
  mount --bind "$null/null" /dev/null

  status=0
  printf '%s\n' "${cgroups[@]}" >"$null/cgroups"
  awk -F'\t' -v rig="$rig" '$2 == "cgroup2" { print $1 "/" rig }' <<<"$list" >"$null/v2"
  printf '%s\n' "$list" >"$null/list"
  # A bash of its own joins the cgroups, so that this one stays outside of them and can remove them. The cgroup namespace is
  # rooted where it is then; after that it steps aside, for cgroup v2 wants no processes beside children.
  RIG_STAGE=inside RIG_FILES=$null bash -c '
    for dir in $(cat "$RIG_FILES/cgroups"); do echo $$ >"$dir/cgroup.procs" || exit 2; done
    exec unshare --cgroup bash -c "
      for dir in \$(cat \"\$RIG_FILES/v2\"); do mkdir \$dir/rig && echo \$\$ >\$dir/rig/cgroup.procs || exit 2; done
      exec unshare --pid --fork --kill-child --mount --propagation private '"$network"' \"\$@\"" isolate "$@"' isolate \
    "$self" -- "$@" <&0 &
  child=$!
  trap 'kill -KILL $child' HUP INT TERM # and go on to clean up
  wait $child || status=$?
  trap - HUP INT TERM

  left=()
  for dir in "${cgroups[@]}"; do
    while IFS= read -r child; do
      [ "$child" = "$dir" ] || [ "$child" = "$dir/rig" ] || left+=("$child")
      for _ in 1 2 3 4 5 6 7 8 9 10; do rmdir "$child" 2>/dev/null && break; sleep 0.1; done
    done < <(find "$dir" -depth -type d)
  done
  if [ ${#left[@]} -gt 0 ]; then
    printf 'isolate: cgroup left behind: %s\n' "${left[@]}" >&2
    [ $status != 0 ] || status=97
  fi
  umount /dev/null && umount "$null" && rmdir "$null"
  # An unmounted v1 hierarchy goes away, and frees its controller, only if it has no child; removed ones linger for a moment.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    awk -v spare=" $spare " 'index(spare, " " $1 " ") && $2 != 0 && $3 > 1 { busy = 1 } END { exit !busy }' /proc/cgroups || break
    sleep 0.1
  done
  umount -R /sys/fs/cgroup
  exit $status
  ;;

inside)
  mount -t proc proc /proc
  mount_hierarchies "$(cat "$RIG_FILES/list")"
  # Every cgroup v2 controller is handed down, as systemd does.
  while IFS=$'\t' read -r point type _; do
    [ "$type" = cgroup2 ] || continue
    for controller in $(cat "$point/cgroup.controllers"); do echo "+$controller" >"$point/cgroup.subtree_control"; done
  done <"$RIG_FILES/list"
  [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ] && ip link set lo up 2>/dev/null
  unset RIG_STAGE RIG_FILES
  status=0
  "$@" || status=$?
  exit $status
  ;;
esac
