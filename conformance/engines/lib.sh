# Shared by the engine scripts. A cell is a command and what it must print; the cells of one script give one TAP stream.
#
#   engine_main "$@"            first line of a script: isolates it and fills in RUNTIME, NAME, WORK, VERSION. PARTS are the words that it
#                               takes; --help prints the comment at its head
#   cell [-s STATUS] NAME WANT COMMAND...   COMMAND must exit with STATUS (0) and print text that WANT, an extended
#                               regular expression, matches as a whole (trailing newlines and carriage returns aside; '' = anything)
#   UNSHOWABLE, UNSHOWABLE_REASON   cells whose name matches the extended regular expression are reported as skipped
#   engine_end [looked]         looks for leftovers (unless the script has), prints the sum, exits 1 if a cell failed
#
# A script that sets NO_ISOLATION (systemd has to see its pids) runs on the host itself, which had better be a virtual machine;
# leftovers are then looked for among state and cgroups named by ENGINE_OWN only.
# Environment: RUNTIME (default dist/tsrun), ONLY (an extended regular expression: run only the cells whose name matches),
# RESULTS (a file that gets one "engine<TAB>runtime<TAB>cell<TAB>ok|fail|skip<TAB>note" line a cell), ENGINE_AS (what "engine" is there),
# PATIENCE (how many seconds `eventually` waits; the virtual machine asks for more).

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
passed=0 failed=0 skipped=0 number=0
patience=${PATIENCE:-10} deadline=$((6 * ${PATIENCE:-10})) # of one command of an engine's

# What is said about a script is its first comment.
engine_words() {
  local name word
  name=$(basename "$0" .sh)
  for word; do
    case $word in
      --help | -h) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
      '' | *[!a-z]*) ;;
      *) [[ " ${PARTS:-} " != *" $word "* ]] || continue ;;
    esac
    echo "$name: Unknown argument: $word (--help says what there is)" >&2
    exit 1
  done
}

engine_main() {
  [ "${RIG:-}" = inside ] || engine_words "$@"
  ENGINE=${ENGINE_AS:-$(basename "$0" .sh)}
  if [ "${RIG:-}" != inside ]; then
    export RIG=inside RUNTIME=${RUNTIME:-$here/../../dist/tsrun}
    RUNTIME=$(readlink -f "$(command -v "$RUNTIME")") || { echo "$ENGINE: no runtime at '$RUNTIME'" >&2; exit 2; }
    [ -n "${NO_ISOLATION:-}" ] || exec "$here/../lib/isolate.sh" -- "$(readlink -f "$0")" "$@"
  fi
  NAME=$(basename "$RUNTIME")
  VERSION=$("$RUNTIME" --version | head -1)
  WORK=$(mktemp -d)
  chmod 711 "$WORK" # containers with mapped ids pass through
  export TMPDIR=$WORK/tmp HOME=$WORK/home
  mkdir -m 1777 "$TMPDIR"
  mkdir "$HOME"
  trap engine_stop EXIT
  unset RIG
  # For one-cgroup-version assertions: 1 (also hybrid) or 2.
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then CGROUP=2; else CGROUP=1; fi
  mounts_before=$(mounts)
  echo "# $ENGINE with $VERSION, cgroup v$CGROUP"
}

# brought VARIABLE PROGRAM...: a folder with what was built by hand; without it there is nothing to run.
brought() {
  local variable=$1 program
  shift
  for program; do [ -x "${!variable:-}/$program" ] || { echo "1..0 # SKIP $variable names no folder with $program; see the head of this script"; exit 0; }; done
  export "$variable=$(readlink -f "${!variable}")"
}
# knows_newer_specs WHO: crun 1.8 knows no ociVersion above 1.0, and WHO writes one.
knows_newer_specs() { [[ $NAME != crun || $("$RUNTIME" --version) != crun\ version\ 1.[0-9].* ]] || { echo "1..0 # SKIP crun 1.8 refuses the ociVersion that $1 writes"; exit 0; }; }

report() { # report ok|fail|skip NAME [NOTE]
  number=$((number + 1))
  case $1 in
    ok) passed=$((passed + 1)); echo "ok $number - $2" ;;
    skip) skipped=$((skipped + 1)); echo "ok $number - $2 # SKIP $3" ;;
    fail) failed=$((failed + 1)); echo "not ok $number - $2" ;;
  esac
  [ -z "${RESULTS:-}" ] || printf '%s\t%s\t%s\t%s\t%s\n' "$ENGINE" "$NAME" "$2" "$1" "${3:-}" >>"$RESULTS"
}

wanted() { [ -z "${ONLY:-}" ] || [[ $1 =~ $ONLY ]]; }
# For what several cells need: are any of them to be run?
any_wanted() { local name; for name; do wanted "$name" && return 0; done; return 1; }

cell() {
  local want_status=0 name want out status=0
  [ "$1" = -s ] && { want_status=$2; shift 2; }
  name=$1 want=$2
  shift 2
  wanted "$name" || return 0
  if [ -n "${UNSHOWABLE:-}" ] && [[ $name =~ $UNSHOWABLE ]]; then report skip "$name" "$UNSHOWABLE_REASON"; return; fi
  # A file, not a pipe: a daemon that keeps its stdout open must not hold the cell up.
  ("$@") >"$WORK/out" 2>"$WORK/err" </dev/null || status=$?
  out=$(tr -d '\r\000' <"$WORK/out")
  if [ "$status" = "$want_status" ] && { [ -z "$want" ] || [[ $out =~ ^($want)$ ]]; }; then
    report ok "$name"
  else
    report fail "$name" "status $status: $(tail -c 300 "$WORK/err" | tr '\n\t' '  ')"
    { echo "command: $*"; echo "exit status: $status (want $want_status)"; echo "want: $want"; echo "stdout: ${out:0:1000}"; echo "stderr: $(tail -c 1500 "$WORK/err")"; } | sed 's/^/    /'
  fi
}

# A rootfs of nothing but busybox, as a folder and as a tar. An ordinary user (1000, app) and an extra group (2000, extra) are in it.
make_rootfs() { # make_rootfs FOLDER
  mkdir -p "$1"/{bin,etc,proc,sys,dev,root,home/app,run,var,usr/bin}
  mkdir -m 1777 "$1/tmp"
  cp /bin/busybox "$1/bin/busybox"
  # One process, not one for each applet: the virtual machine is slow.
  /bin/busybox --list | (cd "$1/bin" && perl -ne 'chomp; symlink "busybox", $_ unless -e')
  printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n' >"$1/etc/passwd"
  printf 'root:x:0:\napp:x:1000:\nextra:x:2000:app\n' >"$1/etc/group"
  echo 'not a program' >"$1/bin/plain"
  printf '#!/bin/no-such-shell\n' >"$1/bin/badshebang"
  chmod 755 "$1/bin/badshebang"
  chown 1000:1000 "$1/home/app"
}

# The same as an OCI image archive, by default named localhost/box:1; made by hand so that no engine is needed to feed another one.
make_image() { # make_image ROOTFS ARCHIVE [NAME [COMMAND-JSON]]
  local dir=$WORK/oci layer config manifest
  blob() { local sum; sum=$(sha256sum "$1" | cut -d' ' -f1); mv "$1" "$dir/blobs/sha256/$sum"; echo "$sum"; }
  size() { stat -c %s "$dir/blobs/sha256/$1"; }
  mkdir -p "$dir/blobs/sha256"
  tar -C "$1" --numeric-owner -cf "$dir/layer" .
  layer=$(blob "$dir/layer")
  echo "{\"architecture\":\"$(dpkg --print-architecture)\",\"os\":\"linux\",\"config\":{\"Env\":[\"PATH=/bin:/usr/bin\"],\"Cmd\":${4:-[\"/bin/sh\"]}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$layer\"]}}" >"$dir/config"
  config=$(blob "$dir/config")
  echo "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$config\",\"size\":$(size "$config")},\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:$layer\",\"size\":$(size "$layer")}]}" >"$dir/manifest"
  manifest=$(blob "$dir/manifest")
  echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
  echo "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$manifest\",\"size\":$(size "$manifest"),\"annotations\":{\"io.containerd.image.name\":\"${3:-localhost/box:1}\",\"org.opencontainers.image.ref.name\":\"1\"}}]}" >"$dir/index.json"
  tar -C "$dir" -cf "$2" blobs index.json oci-layout
  rm -rf "$dir"
}

# What a container reads its own limit from: limit MEMORY-V1-FILE V2-FILE, the controller being the part before the dot.
limit() { if [ "$CGROUP" = 2 ]; then echo "/sys/fs/cgroup/$2"; else echo "/sys/fs/cgroup/${1%%.*}/$1"; fi; }

# Runs a command line under a pseudo terminal of 40 rows and 100 columns and prints what the terminal got. Nobody types; stdin
# is a fifo that stays open, for at its end `script` would type an end of file.
on_terminal() {
  rm -f "$WORK/nobody" && mkfifo "$WORK/nobody" && exec 7<>"$WORK/nobody"
  SHELL=/bin/sh script -qec "stty rows 40 cols 100; exec $*" /dev/null <&7
}

eventually() { # eventually COMMAND...
  local until=$((SECONDS + patience))
  while ! "$@" >/dev/null 2>&1; do [ $SECONDS -lt $until ] || return 1; sleep 0.2; done
}

# Whether the kernel has stopped the cgroup of a process, whatever the engine believes.
frozen_or_thawed() {
  local path
  if [ "$CGROUP" = 2 ]; then path=$(sed -n 's/^0:://p' "/proc/$1/cgroup"); grep -q 'frozen 1' "/sys/fs/cgroup$path/cgroup.events"
  else path=$(awk -F: '$2 == "freezer" { print $3 }' "/proc/$1/cgroup"); grep -q FROZEN "/sys/fs/cgroup/freezer$path/freezer.state"; fi && echo frozen || echo thawed
}

# The first number of a program's version.
major() { "$@" 2>/dev/null | grep -oE '[0-9]+\.[0-9]' | head -n 1 | cut -d. -f1; } # major COMMAND...

# Whether cgroup v2 is alone here and yet has nothing to give, for the host's v1 hierarchies hold the controllers (conformance/modern/run.sh --cgroup2).
no_controllers() { [ "$CGROUP" = 2 ] && ! grep -qw pids /sys/fs/cgroup/cgroup.controllers; }

# Whether slirp4netns can work.
opens_tun() { (: <>/dev/net/tun) 2>/dev/null; }

# Ends a daemon that this script started, and waits for it.
end_daemon() { kill "$1" 2>/dev/null; for _ in $(seq 50); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done; kill -KILL "$1"; }

# Docker's own client, where another is first in PATH, and a dockerd that leaves the network alone.
DOCKER=docker
[ ! -x /usr/bin/docker ] || DOCKER=/usr/bin/docker
alone=(--bridge=none --iptables=false --ip6tables=false --ip-masq=false)

# Docker runs nothing where the kernel has AppArmor and there is no program to load its profile with, as in the virtual machine.
without_apparmor() {
  local file=/sys/module/apparmor/parameters/enabled
  if [ "$(cat $file 2>/dev/null)" = Y ] && ! command -v apparmor_parser >/dev/null; then
    echo N >"$WORK/apparmor"
    mount --bind "$WORK/apparmor" $file
    ENGINE_MOUNTS+=$'\n'$file
  fi
}

mounts() { awk '{ print $5 }' /proc/self/mountinfo | sort; }

# Processes, mounts, cgroups and runtime state that are still there. What is the engine's own is named by the script (ENGINE_CGROUPS, ENGINE_MOUNTS); ENGINE_STATES are
# patterns of the state that the runtime keeps for it.
leftovers() {
  local pid name
  if [ -n "${NO_ISOLATION:-}" ]; then
    find /sys/fs/cgroup -type d | grep -E "${ENGINE_OWN:-none}" | sed 's/^/cgroup /'
    for state in "/run/$NAME"/* ${ENGINE_STATES:-}; do [ ! -e "$state" ] || echo "state $state"; done
    return
  fi
  for pid in /proc/[0-9]*; do
    pid=${pid#/proc/}
    name=$(cat "/proc/$pid/cmdline" 2>/dev/null | tr '\0' ' ') || continue
    [ -n "$name" ] || continue
    case $name in *isolate.sh* | *"$0"*) ;; *) [ "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status" 2>/dev/null)" = "$BASHPID" ] || echo "process $pid $name" ;; esac
  done
  comm -13 <(echo "$mounts_before") <(mounts) | grep -vxF "${ENGINE_MOUNTS:-none}" | sed 's/^/mount /'
  find /sys/fs/cgroup -mindepth 1 -type d ! -path '*/rig' |
    { if [ "$CGROUP" = 2 ]; then cat; else grep -E '^/sys/fs/cgroup/[^/]+/.'; fi; } | grep -vE "/(${ENGINE_CGROUPS:-none})$" | sed 's/^/cgroup /'
  for state in "/run/$NAME"/* ${ENGINE_STATES:-}; do [ ! -e "$state" ] || echo "state $state"; done
}

# Ends what the engine script started; scripts with a daemon redefine it.
engine_stop() { engine_remove; }
# Ends its daemon, before the look for leftovers.
engine_rest() { :; }
engine_remove() {
  trap - EXIT
  cd /
  [ -n "${NO_ISOLATION:-}" ] || find /sys/fs/cgroup -mindepth 1 -depth -type d ! -path '*/rig' -exec rmdir {} + 2>/dev/null
  awk -v w="$WORK/" 'index($5, w) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r m; do umount -l "$m"; done
  rm -rf --one-file-system "$WORK"
}

nothing_left() { # nothing_left [NAME]: a cell
  local name=${1:-leaves nothing behind} left until=$((SECONDS + patience))
  wanted "$name" || return 0
  while left=$(leftovers); [ -n "$left" ] && [ $SECONDS -lt $until ]; do sleep 0.3; done
  if [ -z "$left" ]; then report ok "$name"; else report fail "$name" "$(echo "$left" | head -3 | tr '\n' ' ')"; echo "$left" | sed 's/^/    /'; fi
}

engine_end() {
  engine_rest
  [ "${1:-}" = looked ] || nothing_left
  engine_stop
  echo "1..$number"
  [ $skipped = 0 ] || echo "# $skipped skipped"
  echo "$passed passed, $failed failed"
  [ $failed = 0 ] && exit 0
  exit 1
}
