#!/usr/bin/env bash
# Brings the kernel of Debian forky for the virtual machine, once, and prints the folder it is unpacked in: usr/lib/modules/VERSION/vmlinuz and its modules.
#   conformance/modern/kernel.sh
# It lies beside the roots (root.sh) and is installed nowhere.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
tree=$(dirname "$("$here/root.sh" forky)")/kernel
exec 9>"$tree.lock"
flock 9
if [ ! -d "$tree" ]; then
  # The root's own apt knows the suite; what it brings must be where this side sees it.
  fetched=$(mktemp -d "$here/../../.kernel.XXXXXX")
  trap 'rm -rf "$fetched" "$tree.new"' EXIT
  # shellcheck disable=SC2016 # the other bash's
  "$here/run.sh" forky bash -c 'set -e; cd "$0"; apt-get update -qq
    image=$(apt-cache depends linux-image-amd64 | sed -nE "s/.*Depends: linux-image-//p" | head -n 1)
    apt-get download -qq "linux-binary-$image" "linux-modules-$image" "linux-base-$image"' "$(readlink -f "$fetched")" >&2 9>&-
  for package in "$fetched"/*.deb; do dpkg-deb -x "$package" "$tree.new"; done
  version=$(basename "$tree.new"/usr/lib/modules/*)
  depmod -b "$tree.new/usr" "$version"
  mv "$tree.new" "$tree"
fi
echo "$tree"
