#!/usr/bin/env bash
# crun 1.28 (Debian's 1.28-1): with process.terminal, /dev/console of the container is a symbolic link to its terminal in /dev/pts, and nothing is mounted on it.
#
# The runtime specification (config.md, 1.2.1 and 1.3.0, "Default Devices"): "/dev/console is set up if terminal is enabled in the config by bind mounting the pseudoterminal pty to
# /dev/console." crun 1.8 and runc up to 1.4 do so. Programs see the difference: a container whose own /dev/pts is remounted, or hidden by an engine's mount, loses its console;
# what looks for the console in /proc/self/mountinfo (as systemd's container interface describes it) does not find it.
#
# Seen:   /dev/console is a link to /dev/pts/0; mounts on it: 0
# Exit 0 while it is so; 1 when the answer is another. Needs root, apt with a mirror of Debian that has the versions below, `script`, amd64; two minutes at most.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf --one-file-system "$folder"' EXIT
packages='crun=1.28-1 libc6=2.43-7 libseccomp2=2.6.1-1+b2 libcap2=1:2.78-1+b1 libblake3-0=1.8.2-1 libsystemd0=262-1 libjson-c5 busybox-static=1:1.38.0-3+b1'

# An apt of its own: nothing of this machine's is changed.
mkdir -p "$folder"/apt/{lists/partial,cache/archives/partial} "$folder"/{debs,root}
: >"$folder/apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${MIRROR:-http://deb.debian.org/debian} forky main" >"$folder/apt/sources.list"
options=(-qq -o "Dir::Etc::sourcelist=$folder/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null -o "Dir::State::lists=$folder/apt/lists"
  -o "Dir::State::status=$folder/apt/status" -o "Dir::Cache=$folder/apt/cache" -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root)
apt-get "${options[@]}" update
# shellcheck disable=SC2086 # the packages are words
(cd "$folder/debs" && apt-get "${options[@]}" download $packages)
mkdir -p "$folder"/root/{proc,sys,dev,run,tmp,mnt/old,bundle/rootfs} "$folder/root/usr/lib64" "$folder/root/usr/bin" "$folder/root/usr/lib"
for name in bin lib lib64; do ln -s "usr/$name" "$folder/root/$name"; done
for deb in "$folder"/debs/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$folder/root" --keep-directory-symlink; done

bundle=$folder/root/bundle
mkdir -p "$bundle"/rootfs/{bin,proc,dev}
cp "$folder/root/usr/bin/busybox" "$bundle/rootfs/bin/busybox"
cat >"$bundle/rootfs/bin/look" <<'LOOK'
#!/bin/busybox sh
if [ -L /dev/console ]; then echo "/dev/console is a link to $(/bin/busybox readlink /dev/console)"; else echo "/dev/console is no link"; fi
echo "mounts on it: $(/bin/busybox grep -c ' /dev/console ' /proc/self/mountinfo)"
LOOK
chmod 755 "$bundle/rootfs/bin/look"
cat >"$bundle/config.json" <<'CONFIG'
{"ociVersion": "1.2.1", "root": {"path": "rootfs"},
 "process": {"terminal": true, "cwd": "/", "args": ["/bin/look"], "user": {"uid": 0, "gid": 0}},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
  {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666", "mode=0620"]}],
 "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}]}}
CONFIG

# The packages are the root for a moment, in a mount namespace of its own; no cgroup is made.
cat >"$folder/inside" <<'INSIDE'
set -e
root=$1
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/run"
cd "$root"
pivot_root . mnt/old
/usr/bin/busybox umount -l /mnt/old
exec /usr/bin/crun --cgroup-manager disabled run -b /bundle look
INSIDE
seen=$(SHELL=/bin/sh script -qec "unshare --mount --propagation private --pid --fork --kill-child bash $folder/inside $folder/root" /dev/null </dev/null | tr -d '\r' | grep -aoE '/dev/console is .*|mounts on it: [0-9]+')
echo "$seen"
[ "$seen" = $'/dev/console is a link to /dev/pts/0\nmounts on it: 0' ] || { echo 'this is another answer' >&2; exit 1; }
