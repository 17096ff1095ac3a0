#!/usr/bin/env bash
# Runs a command in a virtual machine whose root is this machine's, with cgroup v2 only and every capability.
#
#   conformance/vm/run.sh [--root FOLDER [--bring FOLDER]...] [--systemd] [--memory SIZE] [--cpus N] [--timeout SECONDS] [--env NAME]... [--save PATH]... [--console] -- COMMAND [ARG...]
#
#   --root FOLDER  another root than this machine's: FOLDER, with the kernel of conformance/modern/kernel.sh; the current folder is seen in it, too
#   --bring FOLDER  and so is this one of the host's, under its own name
#   --systemd      systemd is process 1 and D-Bus runs (20 s instead of a few to boot)
#   --env NAME     hand this variable on (RUNTIME, ONLY, LABEL, RESULTS, ENGINE_AS, PEER and PROGRAM_TIMEOUT always are)
#   --save PATH    copy this file or folder back afterwards: all else that the command writes is lost
#   --console      print what the kernel and process 1 print, too
#
# The command runs in the current folder, its output (both streams in one) and exit status come back; 124: out of time, 125: no answer.
# The host's root is seen read-only through 9p, below a tmpfs. No KVM is needed. The kernel is Debian's generic one, unpacked into
# a cache (~/.cache/tsrun-vm), never installed. Needs qemu-system-x86, busybox-static, cpio, kmod and, the first time, apt.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cache=${TSRUN_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tsrun-vm}

mode=plain memory=4G cpus=2 limit=1200 console=no
root=''
names=(RUNTIME ONLY LABEL RESULTS ENGINE_AS PEER PROGRAM_TIMEOUT) saved=() brought=()
while [ $# -gt 0 ]; do
  case $1 in
    --root) root=$(readlink -f "$2"); shift ;;
    --bring) brought+=("$(readlink -f "$2")"); shift ;;
    --systemd) mode=systemd ;;
    --memory) memory=$2; shift ;;
    --cpus) cpus=$2; shift ;;
    --timeout) limit=$2; shift ;;
    --env) names+=("$2"); shift ;;
    --save) saved+=("$2"); shift ;;
    --console) console=yes ;;
    --help | -h) sed -n '2,17s/^# \{0,1\}//p' "$0"; exit ;;
    --) shift; break ;;
    -*) echo "vm: Unknown argument: $1 (--help says what there is)" >&2; exit 1 ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || { echo "vm: wants a command (--help says what there is)" >&2; exit 1; }

# The kernel: unpacked once. A kernel package that lies in the cache already is used as it is.
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
[ -z "$root" ] || tree=$("$here/../modern/kernel.sh" 9>&-)
if [ -z "$root" ] && ! ls "$cache"/root/boot/vmlinuz-* >/dev/null 2>&1; then
  echo "vm: fetching a kernel into $cache" >&2
  package=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '$1 == "Depends:" && /linux-image-/ { print $2; exit }')
  [ -n "$package" ] || { echo "vm: apt knows no linux-image-amd64: run apt-get update" >&2; exit 125; }
  (cd "$cache" && ls "$package"_*.deb >/dev/null 2>&1 || (cd "$cache" && apt-get download -q "$package" >&2))
  dpkg-deb -x "$cache/$package"_*.deb "$cache/root.new"
  mv "$cache/root.new" "$cache/root"
fi
if [ -n "$root" ]; then
  modules=$(echo "$tree"/usr/lib/modules/*) base=$tree/usr
  kernel=$modules/vmlinuz version=${modules##*/}
else
  kernel=$(ls "$cache"/root/boot/vmlinuz-* | tail -1)
  version=${kernel##*/vmlinuz-} base=$cache/root
  modules=$base/lib/modules/$version
  [ -e "$modules/modules.dep" ] || depmod -b "$base" "$version"
fi

# The initramfs: busybox, the modules that it takes to see the host's root, and init.sh. Rebuilt when init.sh changes.
initrd=$cache/initrd-$version-$(sha256sum <"$here/init.sh" | cut -c1-12).gz
if [ ! -e "$initrd" ]; then
  files=$(mktemp -d)
  mkdir -p "$files"/{bin,proc,sys,dev,modules,newroot,lower,upper}
  cp /bin/busybox "$files/bin/busybox"
  cp "$here/init.sh" "$files/init"
  chmod 755 "$files/init"
  number=100
  for module in virtio_pci 9pnet_virtio 9p overlay virtio_console; do
    modprobe -d "$base" -S "$version" --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" { print $2 }'
  done | awk '!seen[$0]++' | while read -r file; do number=$((number + 1)); cp "$file" "$files/modules/$number-${file##*/}"; done
  xz -dq "$files"/modules/*.xz 2>/dev/null || true # busybox takes them as they are in the kernel alone
  (cd "$files" && find . | cpio -o -H newc --quiet | gzip -1) >"$initrd.new"
  mv "$initrd.new" "$initrd"
  rm -rf "$files"
fi
flock -u 9

# What the guest is to do, and what it answers with.
exchange=$(mktemp -d)
chmod 755 "$exchange"
trap 'rm -rf "$exchange"' EXIT
{
  printf 'cd %q\n' "$PWD"
  for name in "${names[@]}"; do [ -z "${!name+set}" ] || printf 'export %s=%q\n' "$name" "${!name}"; done
  printf '%q ' "$@"
  echo
} >"$exchange/command"
printf '%s\n' "$mode" >"$exchange/mode"
printf '%s\n' "$modules" >"$exchange/modules"
printf '%s\n' "$root" >"$exchange/root"
readlink -f node_modules >"$exchange/node_modules" 2>/dev/null || true
printf '%s\n' "${saved[@]}" >"$exchange/save"
printf '%s\n' "${brought[@]}" >"$exchange/brought"
printf '%s\n' "$PWD" >"$exchange/folder"
cp "$here/guest.sh" "$exchange/guest.sh"
if [ -n "$root" ]; then echo /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; else printf '%s\n' "$PATH"; fi >"$exchange/path"
# systemd 262 reads its unit there and nowhere else.
append=
[ "$mode" = plain ] || append='systemd.unit=tsrun-vm.service systemd.show_status=false'


status=0
# The guest's output goes through a pipe of its own: qemu's stdio would stop listening at the end of its stdin.
# TCG carries `rep movsb` out a byte at a time; a guest that is not told that it is fast clears and copies pages by words (twice as quick).
timeout -k 5 "$limit" qemu-system-x86_64 -accel tcg,thread=multi -cpu max,-erms,-fsrm -m "$memory" -smp "$cpus" -no-reboot -nodefaults -display none \
  -kernel "$kernel" -initrd "$initrd" -append "console=ttyS0 ${VM_APPEND:-quiet} $append no_timer_check panic=-1 apparmor=1 security=apparmor" \
  -serial "file:$exchange/console" \
  -device virtio-serial-pci -chardev file,id=output,path=/dev/fd/3,append=on -device virtserialport,chardev=output,name=output \
  -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
  -virtfs "local,path=$exchange,mount_tag=exchange,security_model=none" </dev/null 3>&1 >&2 | cat || status=$?
[ $console = no ] || cat "$exchange/console" >&2
[ "$status" != 124 ] || { echo "vm: did not end within $limit s" >&2; exit 124; }
if [ ! -s "$exchange/status" ]; then
  echo "vm: no answer from the guest; its console:" >&2
  tail -n 25 "$exchange/console" >&2
  exit 125
fi
if [ ${#saved[@]} -gt 0 ] && [ -d "$exchange/saved" ]; then cp -a "$exchange/saved/." .; fi
exit "$(cat "$exchange/status")"
