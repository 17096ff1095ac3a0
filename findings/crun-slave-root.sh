#!/usr/bin/env bash
# crun 1.28 (Debian's 1.28-1): with linux.rootfsPropagation "slave" the container's root receives nothing from the host: it is private.
#
# The runtime specification (config-linux.md, "Rootfs Mount Propagation"): rootfsPropagation "sets the rootfs's mount propagation. Its value is either shared, slave, private or
# unbindable", in the words of the kernel's sharedsubtree.txt, where a slave has a master that it receives events from. The bundle lies on a shared mount here, so there is one; the
# field "master:N" is absent from /proc/self/mountinfo all the same, and what is mounted below the rootfs later is not seen inside.
#
# Seen:   / in the container: no propagation at all
# Exit 0 while it is so; 1 when the answer is another. Needs root, apt with a mirror of Debian that has the versions below, amd64; two minutes at most.
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
fields=$(/bin/busybox awk '$5 == "/" { for (i = 7; $i != "-"; i++) print $i }' /proc/self/mountinfo)
echo "/ in the container: ${fields:-no propagation at all}"
LOOK
chmod 755 "$bundle/rootfs/bin/look"
cat >"$bundle/config.json" <<'CONFIG'
{"ociVersion": "1.2.1", "root": {"path": "rootfs"},
 "process": {"cwd": "/", "args": ["/bin/look"], "user": {"uid": 0, "gid": 0}},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
  {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666", "mode=0620"]}],
 "linux": {"rootfsPropagation": "slave", "namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}]}}
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
/usr/bin/busybox mount --make-rshared /
/usr/bin/busybox awk '$5 == "/" && /shared:/ { found = 1 } END { exit !found }' /proc/self/mountinfo # there is a master to be had
exec /usr/bin/crun --cgroup-manager disabled run -b /bundle look
INSIDE
seen=$(unshare --mount --propagation private --pid --fork --kill-child bash "$folder/inside" "$folder/root" </dev/null)
echo "$seen"
[ "$seen" = '/ in the container: no propagation at all' ] || { echo 'this is another answer' >&2; exit 1; }
