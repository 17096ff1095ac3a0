#!/usr/bin/env bash
# What the README tells people to type and to write into configuration files, done as it stands there.
# Needs root, podman, containerd, jq and busybox-static. /usr/local is a copy in memory; nothing stays.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
engine_main "$@"
set -u
repository=$(readlink -f "$here/../..")
readme=$repository/README.md
# podman keeps these for its next container; they are not the runtime's.
ENGINE_CGROUPS='libpod_parent|libpod_parent/conmon'

# The indented lines of a section.
blocks() { sed -n "/^## $1/,/^## /p" "$readme" | sed -n 's/^    //p'; }
# The indented block that follows the first line with this text.
block_after() { awk -v text="$1" 'index($0, text) { seen = 1 } seen && /^    / { print substr($0, 5); begun = 1; next } begun && !/^$/ { exit }' "$readme"; }

mkdir "$WORK/tmpfs"
mount -t tmpfs tmpfs "$WORK/tmpfs"
mkdir "$WORK/tmpfs/upper" "$WORK/tmpfs/work"
mount -t overlay overlay -o "lowerdir=/usr/local,upperdir=$WORK/tmpfs/upper,workdir=$WORK/tmpfs/work" /usr/local

install_it() { (cd "$repository" && set -e && eval "$(blocks Install)"); }
cell 'the commands under Install' '' install_it
cell 'tsrun is a command then' 'tsrun version .*' bash -c 'cd / && tsrun --version | head -1'
cell 'and has a manual page' '.*tsrun.*' bash -c 'head -3 /usr/local/share/man/man1/tsrun.1 | tr "\n" " "'

block_after '**podman**' >"$WORK/containers.conf"
make_rootfs "$WORK/rootfs"
p() { CONTAINERS_CONF=$WORK/containers.conf timeout -k 5 60 podman --root "$WORK/root" --runroot "$WORK/runroot" --tmpdir "$WORK/libpod" --cgroup-manager cgroupfs --events-backend file --runtime tsrun "$@"; }
tar -C "$WORK/rootfs" -cf - . | p import - box >/dev/null 2>&1
cell 'podman knows tsrun by the name in containers.conf' 'by name' p run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 box echo 'by name'
cell 'and runs it without cgroups, for the second list says that it may' 'none' p run --rm --network none --cgroups disabled --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 box echo none
p rmi -fa >/dev/null 2>&1

containerd_takes_it() {
  { echo 'version = 2'; block_after '**containerd**'; } >"$WORK/containerd.toml"
  containerd -c "$WORK/containerd.toml" config dump | grep -A40 'runtimes.tsrun.options' | grep -m1 BinaryName | tr -d ' '
}
cell "containerd reads the README's table" 'BinaryName="/usr/local/bin/tsrun"' containerd_takes_it
docker_json() { block_after '**Docker**' | jq -r .runtimes.tsrun.path; }
cell "Docker's daemon.json is JSON and names the installed file" '/usr/local/bin/tsrun' docker_json

umount /usr/local "$WORK/tmpfs" # before leftovers are looked for
engine_end
