#!/bin/busybox sh
# Process 1 of the initramfs: makes the host's root visible and hands over to guest.sh or to systemd.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do insmod "$module"; done
options=trans=virtio,version=9p2000.L,msize=1048576
mount -t 9p -o $options,cache=loose,ro host /lower || echo "vm: no 9p root"
mount -t tmpfs -o size=75% tmpfs /upper
mkdir /upper/files /upper/work /upper/exchange
mount -t 9p -o $options,access=any exchange /upper/exchange || echo "vm: no 9p exchange"
root=$(cat /upper/exchange/root)
mount -t overlay -o lowerdir=/lower$root,upperdir=/upper/files,workdir=/upper/work root /newroot

mkdir -p /newroot/mnt/vm /newroot/mnt/vm-tmp
mount --move /upper/exchange /newroot/mnt/vm
mount -t tmpfs -o mode=1777,size=60% tmpfs /newroot/mnt/vm-tmp
# The kernel's other modules lie in the host's cache.
modules=$(cat /newroot/mnt/vm/modules)
mkdir -p "/newroot/lib/modules/${modules##*/}"
mount --bind "/lower$modules" "/newroot/lib/modules/${modules##*/}"
if [ -n "$root" ]; then # of the host's files it has the folder that the command runs in
  folder=$(cat /newroot/mnt/vm/folder) node=$(cat /newroot/mnt/vm/node_modules)
  mkdir -p "/newroot$folder" /upper/project /upper/project-work
  mount -t overlay -o "lowerdir=/lower$folder,upperdir=/upper/project,workdir=/upper/project-work" project "/newroot$folder"
  while read -r brought; do [ -z "$brought" ] || { mkdir -p "/newroot$brought"; mount --bind "/lower$brought" "/newroot$brought"; }; done </newroot/mnt/vm/brought
  case $node in '' | "$folder"/*) ;; *) mkdir -p "/newroot$node"; mount --bind "/lower$node" "/newroot$node" ;; esac
fi
mount -t proc proc /newroot/proc
mount -t sysfs sysfs /newroot/sys
mount -t devtmpfs devtmpfs /newroot/dev
mount -t cgroup2 cgroup2 /newroot/sys/fs/cgroup
mount -t securityfs securityfs /newroot/sys/kernel/security
umount /proc /sys
mode=$(cat /newroot/mnt/vm/mode)
[ "$mode" = systemd ] || exec switch_root /newroot /bin/bash /mnt/vm/guest.sh

units=/newroot/etc/systemd/system
mkdir -p $units
cat >$units/tsrun-vm.service <<UNIT
[Unit]
Requires=dbus.service
After=dbus.service
[Service]
Type=oneshot
ExecStart=/bin/bash /mnt/vm/guest.sh
StandardOutput=null
StandardError=null
Delegate=yes
UNIT
# The first of these empties the overlay's /tmp, which takes a minute; the others want hardware or take their time.
for unit in systemd-tmpfiles-setup.service systemd-update-utmp.service systemd-networkd-wait-online.service systemd-udev-settle.service \
  containerd.service docker.service docker.socket postgresql.service apparmor.service man-db.timer apt-daily.timer; do ln -sf /dev/null $units/$unit; done
exec switch_root /newroot /lib/systemd/systemd systemd.unit=tsrun-vm.service systemd.show_status=false
