# The bundle's program behind a mere chroot, in a mount namespace of its own that ends with it: what a container would be without pivot_root.
set -eu
root=$(cd "$(dirname "$0")" && pwd)/rootfs
exec unshare --mount sh -c 'for d in proc usr bin lib lib64; do [ -d "/$d" ] && mount --rbind "/$d" "$1/$d"; done; exec chroot "$1" sh /main.sh' sh "$root"
