#!/bin/bash
# In the guest, on top of the host's root: prepares what a boot would, runs the command, answers, powers off.
PATH=$(cat /mnt/vm/path)
export PATH HOME=/root TMPDIR=/mnt/vm-tmp TERM=dumb LANG=C.UTF-8 PATIENCE=30 # conformance/engines/lib.sh
mode=$(cat /mnt/vm/mode)
if [ "$mode" = plain ]; then
  mkdir -p /dev/pts /dev/shm /dev/mqueue
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts /dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  mount -t mqueue mqueue /dev/mqueue
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -m 1777 /run/lock
  # As systemd does: no process beside children, every controller handed down.
  mkdir /sys/fs/cgroup/rig
  for pid in $(cat /sys/fs/cgroup/cgroup.procs); do echo "$pid" >/sys/fs/cgroup/rig/cgroup.procs; done 2>/dev/null
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
  [ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
  for fd in 0:stdin 1:stdout 2:stderr; do [ -e "/dev/${fd#*:}" ] || ln -s "/proc/self/fd/${fd%:*}" "/dev/${fd#*:}"; done
fi
mount -t bpf bpf /sys/fs/bpf 2>/dev/null
modprobe -a loop bfq fuse 2>/dev/null # nothing asks for them by itself
[ -e /dev/vport0p1 ] || for _ in $(seq 50); do sleep 0.1; [ ! -e /dev/vport0p1 ] || break; done
hostname vm
ip link set lo up
(. /mnt/vm/command) </dev/null >/dev/vport0p1 2>&1
status=$?
folder=$(cat /mnt/vm/folder)
while read -r path; do
  [ -n "$path" ] && [ -e "$folder/$path" ] && (cd "$folder" && mkdir -p /mnt/vm/saved && cp -a --parents "$path" /mnt/vm/saved/)
done </mnt/vm/save
echo $status >/mnt/vm/status
sync -f /mnt/vm/status 2>/dev/null
# No unmounting, no services to stop: the only thing worth keeping has been written.
echo 1 >/proc/sys/kernel/sysrq
echo o >/proc/sysrq-trigger
sleep 60
