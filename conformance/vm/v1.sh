#!/bin/bash
# In the virtual machine, before a command that wants cgroup v1: every controller gets a hierarchy of its own, and cgroup v2 goes.
#   conformance/vm/run.sh -- conformance/vm/v1.sh COMMAND [ARG...]
set -eu
root=/sys/fs/cgroup controllers=$(cat /sys/fs/cgroup/cgroup.controllers)
for controller in $controllers; do echo "-$controller" >$root/cgroup.subtree_control; done
find $root -mindepth 1 -type d | while read -r group; do
  for pid in $(cat "$group/cgroup.procs"); do echo "$pid" >$root/cgroup.procs 2>/dev/null || true; done
  rmdir "$group"
done
umount $root
mount -t tmpfs -o mode=755 cgroup $root
for controller in $(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups); do
  mkdir $root/$controller
  mount -t cgroup -o $controller cgroup $root/$controller || rmdir $root/$controller
done
mkdir $root/systemd
mount -t cgroup -o none,name=systemd cgroup $root/systemd
exec "$@"
