# Mounts the bundle's rootfs from two layers: `lower` below, `upper` on top. An engine does this before it calls the
# runtime; here it is by hand:  sh mount.sh  …  umount rootfs
set -eu
cd "$(dirname "$0")"
mkdir -p lower rootfs layers
grep -q " $PWD/rootfs overlay " /proc/mounts && exit 0

try() {
  mkdir -p layers/upper layers/work
  mount -t overlay overlay -o "lowerdir=lower,upperdir=layers/upper,workdir=layers/work" rootfs
}
# On a host that is itself on overlayfs, the upper layer needs a file system that can carry it.
try 2> /dev/null || { mount -t tmpfs tmpfs layers; try; }
