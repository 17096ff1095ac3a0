#!/usr/bin/env bash
# Makes a root of a newer Debian, once, and prints its folder.
#   conformance/modern/root.sh forky|experimental [--print]     --print: only where it is; fails if it is not there
# forky: that suite with its engines and runtimes. experimental: a copy of it, with the engines of Debian's experimental.
# What is in it is named in packages.txt: the version there while the suite has it, else what it has, which is said.
# It lies in $TSRUN_MODERN_CACHE (default ~/.cache/tsrun-modern), some 1.5 GB each; nothing ever writes into it again (run.sh).
# Needs root, debootstrap and a mirror of Debian ($MIRROR); a minute. No service is started, nothing stays mounted.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
mirror=${MIRROR:-http://deb.debian.org/debian}
cache=${TSRUN_MODERN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tsrun-modern}
name=${1:-} print=${2:-}
case $name in forky | experimental) ;; *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac

# A root belongs to the list that it was made of.
stamp=$( (grep -E "^(forky|$name) " "$here/packages.txt"; cat "$here/root.sh") | sha256sum | cut -c1-12)
root=$cache/$name
if [ "$(cat "$root/etc/tsrun-modern.stamp" 2>/dev/null)" = "$stamp" ]; then echo "$root"; exit; fi
[ -z "$print" ] || exit 1
[ "$(id -u)" = 0 ] || { echo "modern: needs root" >&2; exit 77; }
command -v debootstrap >/dev/null || { echo "modern: needs debootstrap" >&2; exit 77; }

# In a mount namespace of its own all that is mounted goes with it, and in a pid namespace all that runs.
if [ -z "${MODERN_INSIDE:-}" ]; then
  mkdir -p "$cache"
  [ "$name" = forky ] || bash "$0" forky >/dev/null
  exec 9>"$cache/lock"
  flock 9
  log=$cache/$name.log
  # Another one may have made it while this one waited.
  if [ "$(cat "$root/etc/tsrun-modern.stamp" 2>/dev/null)" != "$stamp" ] &&
    ! MODERN_INSIDE=yes unshare --mount --propagation private --pid --fork --kill-child bash "$0" "$name" 9>&- >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "modern: no root of $name; the whole log is $log" >&2
    exit 1
  fi
  grep -a '^modern: ' "$log" >&2 || true
  echo "$root"
  exit
fi

new=$root.new
inside() { chroot "$new" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
has() { inside apt-cache madison "$1" | awk -v v="$2" '$3 == v { found = 1 } END { exit !found }'; }
# The packages of packages.txt, by version where that is still there.
wanted() {
  local of package version _
  while read -r of package version _; do
    [ "$of" = "$1" ] || continue
    if has "$package" "$version"; then echo "$package=$version"; else echo "modern: $name has no $package $version any more, another is taken" >&2; echo "$package"; fi
  done <"$here/packages.txt"
}

rm -rf --one-file-system "$new" # what an earlier one left that was ended half way
if [ "$name" = forky ]; then
  # Nobody keeps this root through a loss of power, and nobody reads its manuals.
  mkdir -p "$new/etc/dpkg/dpkg.cfg.d"
  printf '%s\n' force-unsafe-io path-exclude=/usr/share/{doc,man,locale,info}/\* >"$new/etc/dpkg/dpkg.cfg.d/tsrun"
  # Debian 12's debootstrap does not know the suite by name; all of them are made as sid is.
  debootstrap --variant=minbase forky "$new" "$mirror" /usr/share/debootstrap/scripts/sid
  # A mirror may be one of the past, whose lists are out of date.
  printf '%s\n' 'Acquire::Check-Valid-Until "false";' 'Acquire::Languages "none";' 'APT::Install-Recommends "false";' 'APT::Keep-Downloaded-Packages "false";' >"$new/etc/apt/apt.conf.d/90tsrun"
  printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d" # no service starts
  chmod 755 "$new/usr/sbin/policy-rc.d"
else
  cp -a --reflink=auto "$cache/forky" "$new"
  printf 'deb %s %s main\n' "$mirror" forky "$mirror" sid "$mirror" experimental >"$new/etc/apt/sources.list"
fi
mount --bind "$new" "$new"
mount -t proc proc "$new/proc"
mount -t tmpfs -o mode=755 tmpfs "$new/dev"
for device in null zero full random urandom tty; do touch "$new/dev/$device"; mount --bind "/dev/$device" "$new/dev/$device"; done
mount -t tmpfs -o mode=755 tmpfs "$new/run"
inside apt-get update -q
if [ "$name" = forky ]; then
  # shellcheck disable=SC2046 # names are words
  inside apt-get install -y -q $(wanted forky)
  inside useradd -r containers # podman --userns auto takes ids of his
else
  # shellcheck disable=SC2046
  inside apt-get install -y -q -t experimental $(wanted experimental)
fi
rm -rf "$new"/var/lib/apt/lists/* "$new"/var/cache/apt/*.bin
# What is in it, for the headers of tables.
inside dpkg-query -W -f '${Package} ${Version}\n' >"$new/etc/tsrun-modern.versions"
echo "$stamp" >"$new/etc/tsrun-modern.stamp"
umount -R "$new"
rm -rf --one-file-system "$root"
mv "$new" "$root"
