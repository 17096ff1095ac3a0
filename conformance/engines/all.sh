#!/usr/bin/env bash
# npm run engines: every engine script with every runtime; rewrites docs/engines.md.
#   npm run engines -- [--engines "podman buildah"] [--runtimes "PATH PATH"] [--vm] [--modern] [--no-write] [--page]
# --vm       also those that need systemd or a whole kernel: they run in the virtual machine (slow)
# --modern   the same engines as newer Debian suites have them (conformance/modern; an engine's name begins with the suite's); with --vm, in
#            the virtual machine with that suite's kernel, too
# CRIO       in the environment, a folder with crio, pinns and crictl (crio.sh): CRI-O, too; BUILDKIT, one with buildkitd and buildctl: BuildKit
# --engines  only these; --runtimes: only these, in place of tsrun, crun and runc
# --no-write the verdict alone: nothing in the repository is changed
# --page     run nothing, write the page from the results that are there
# The results are kept in conformance/results/engines, a file an engine; what is not run keeps its last ones.
# Exits 1 if tsrun fails a cell that another runtime passes, or differs from one without a reason in reasons.json.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit
here=conformance/engines
host="podman rootless rootless-alone containerd docker docker-rootless cri${CRIO:+ crio} buildah${BUILDKIT:+ buildkit}"
virtual="systemd cri-systemd checkpoint podman-v2 docker-v2 containerd-v2${CRIO:+ crio-v2 crio-systemd} buildah-v2" # without --vm, too, by --engines
modern="forky-podman forky-rootless forky-rootless-alone forky-containerd forky-docker forky-docker-rootless forky-cri${CRIO:+ forky-crio} forky-buildah${BUILDKIT:+ forky-buildkit} experimental-podman experimental-rootless experimental-buildah"
modern_virtual='forky-systemd forky-checkpoint forky-podman-v2 forky-containerd-v2 forky-docker-v2 forky-cri-systemd forky-cri-v2 forky-buildah-v2 experimental-podman-v2 experimental-buildah-v2 experimental-systemd experimental-checkpoint'
modern_virtual+="${CRIO:+ forky-crio-v2 forky-crio-systemd}"
vm=no newer=no engines='' runtimes="dist/tsrun $(command -v crun) $(command -v runc)" write=yes
while [ $# -gt 0 ]; do
  case $1 in
    --engines) engines=$2; shift ;;
    --runtimes) runtimes=$2; shift ;;
    --vm) vm=yes ;;
    --modern) newer=yes ;;
    --no-write) write=no ;;
    --page) page=yes ;;
    --help | -h) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit ;;
    *) echo "engines: Unknown argument: $1 (--help says what there is)" >&2; exit 1 ;;
  esac
  shift
done

if [ -n "${page:-}" ]; then engines=
elif [ -z "$engines" ]; then
  if [ $newer = yes ]; then engines=$modern; [ $vm = no ] || engines+=" $modern_virtual"
  else engines=$host; [ $vm = no ] || engines+=" $virtual"; fi
fi

folder=$(mktemp -d "$PWD/.engines.XXXXXX") # here, for the virtual machine gives back what lies below this folder
trap 'rm -rf "$folder"' EXIT
cp -a conformance/results/engines/. "$folder" 2>/dev/null
mkdir -p conformance/results/engines

# What of an engine's script is told on cgroup v2 without systemd: what has to do with cgroups, devices, capabilities and mounts.
v2_cells='^(run prints|--(memory|cpus|cpu-|cpuset|pids|cgroup|blkio|device|privileged|ulimit|sysctl|uidmap|userns auto)|devices are|exec prints|exec is in|pause|a paused|stats|update|out of memory|inspect says|task (metrics|ps)|-v :r(slave|shared|private)|build (--memory|in a user|with RUN)|systemd (is|stops)|stop sends|kill -s USR1|leaves nothing)'
# The same of what speaks the CRI, and what is new there.
v2_cri_cells='^(Version|Status|RunPodSandbox|a container runs|ExecSync$|ContainerStats|PodSandboxStats|UpdateContainerResources|the container is below|StopContainer sends|reason: OOMKilled|resources|masked|pause|a privileged pod|a pod with a user|user namespace|a volume|exec and update|a (recursive )?read-only mount|an image as|cgroup_writable|annotation (UnifiedCgroup|cgroup2|Devices)|a (CDI )?device|NRI|sandbox API|checkpoint|restore|a restored|removed pods|leaves nothing)'

# What an engine is in the virtual machine: a line a boot, "plain|systemd SCRIPT ARGUMENT...". One boot has some ten minutes.
boots() {
  case $1 in
    systemd) printf 'systemd systemd.sh %s\n' 'unit podman' 'quadlet rootless' 'rootlessdocker containerd docker' ;;
    cri-systemd) echo systemd cri.sh systemd core ;;
    crio-systemd) echo systemd crio.sh systemd ;;
    cri-v2) echo plain cri.sh new ;;
    checkpoint) printf 'plain checkpoint.sh %s\n' direct 'podman containerd' ;;
    *-v2) echo "plain ${1%-v2}.sh" ;;
  esac
}
# Which suite's root an engine is run in; none is this machine.
root_of() { case $1 in forky-* | experimental-*) echo "${1%%-*}" ;; esac; }
# by_hand NAME PROGRAM: its version; what is not there this time keeps its last one.
by_hand() {
  if [ -z "$2" ]; then grep "^${root:-bookworm}	$1	" "$folder/versions.old"
  else printf '%s\t%s\t%s\n' "${root:-bookworm}" "$1" "$("$2" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+[^ ]*' | head -n 1)"; fi
}
# What the root has of the engines, for the page: "ROOT<TAB>PACKAGE<TAB>VERSION".
versions_of() {
  local root=$1 list
  if [ -n "$root" ]; then list=$(cat "$(conformance/modern/root.sh "$root")/etc/tsrun-modern.versions"); else list=$(dpkg-query -W -f '${Package} ${Version}\n'); fi
  by_hand crio "${CRIO:+$CRIO/crio}"
  by_hand buildkit "${BUILDKIT:+$BUILDKIT/buildkitd}"
  awk -v root="${root:-bookworm}" '$1 ~ /^(podman|containerd|docker.io|buildah|runc|crun|criu|systemd|conmon|netavark)$/ { sub(/[+~-].*/, "", $2); print root "\t" $1 "\t" $2 }' <<<"$list"
}
# run ENGINE RUNTIME RESULTS: as CI does it, without a terminal and with an environment of next to nothing
run() {
  local mode script only=${ONLY:-} root engine=$1 runtime limit=1500
  root=$(root_of "$1")
  [ -z "$root" ] || engine=${1#*-}
  [[ $engine != crio* ]] || limit=3000
  case $engine in buildah-v2) ;; cri-v2 | crio-v2) only=${ONLY:-$v2_cri_cells} ;; *-v2) only=${ONLY:-$v2_cells} ;; esac
  local -a clean=(env -i "PATH=$PATH" "HOME=$HOME" CI=true "ENGINE_AS=$1" ${only:+"ONLY=$only"} ${CRIO:+"CRIO=$CRIO"} ${BUILDKIT:+"BUILDKIT=$BUILDKIT"} ${TSRUN_MODERN_CACHE:+"TSRUN_MODERN_CACHE=$TSRUN_MODERN_CACHE"})
  # In another root the controls are its own.
  case $root/$(basename "$2") in ?*/crun | ?*/runc) runtime=$(basename "$2") ;; *) runtime=$(readlink -f "$2") ;; esac
  clean+=("RUNTIME=$runtime")
  if [ -n "$root" ]; then
    local -a there=()
    [[ $1 = experimental-buildah || $root = forky ]] || there=(--cgroup2) # podman 6
    if [ -z "$(boots "$engine")" ]; then "${clean[@]}" "RESULTS=$3" timeout --foreground 3600 conformance/modern/run.sh "${there[@]}" "$root" bash "$here/$engine.sh" </dev/null; return; fi
    while read -r mode script; do
      # shellcheck disable=SC2086 # the arguments are words
      "${clean[@]}" "RESULTS=$3.boot" "VM_OPTIONS=--timeout $limit --save ${3#"$PWD/"}.boot" conformance/modern/run.sh --vm $([ "$mode" = plain ] || echo --systemd) "$root" bash "$here"/$script </dev/null
      cat "$3.boot" >>"$3" && rm "$3.boot"
    done < <(boots "$engine")
    return
  fi
  if [ -z "$(boots "$engine")" ]; then "${clean[@]}" "RESULTS=$3" timeout --foreground 3600 bash "$here/$1.sh" </dev/null; return; fi
  while read -r mode script; do
    # shellcheck disable=SC2086 # the arguments are words
    "${clean[@]}" "RESULTS=$3.boot" conformance/vm/run.sh $([ "$mode" = plain ] || echo --systemd) ${CRIO:+--env CRIO} --timeout $limit --save "${3#"$PWD/"}.boot" -- bash "$here"/$script </dev/null
    cat "$3.boot" >>"$3" && rm "$3.boot"
  done < <(boots "$engine")
}

lost=0
for engine in $engines; do
  root=$(root_of "$engine") plain=${engine#"${root:+$root-}"}
  touch "$folder/versions.txt" && cp "$folder/versions.txt" "$folder/versions.old"
  { grep -v "^${root:-bookworm}	" "$folder/versions.old"; versions_of "$root"; } >"$folder/versions.new"
  mv "$folder/versions.new" "$folder/versions.txt"
  for runtime in $runtimes; do
    name=$(basename "$runtime")
    run "$engine" "$runtime" "$folder/new" >"$folder/log" 2>&1
    boots=$(boots "$plain" | grep -c .)
    if [ "$(grep -caE '^[0-9]+ passed, [0-9]+ failed' "$folder/log")" = "$((boots > 1 ? boots : 1))" ]; then
      echo "$engine with $name: $(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$folder/log")"
      grep -aA8 '^not ok' "$folder/log"
      node $here/merge.mjs "$folder/$engine.tsv" "$name" "$folder/new" "${ONLY:+part}"
    elif grep -qaE '^1\.\.0 # SKIP' "$folder/log"; then
      reason=$(sed -nE 's/^1\.\.0 # SKIP //p' "$folder/log" | head -n 1)
      echo "$engine with $name: left out: $reason"
      printf '%s\t%s\t\tskip\t%s\n' "$engine" "$name" "$reason" >"$folder/new" # a row without a cell
      node $here/merge.mjs "$folder/$engine.tsv" "$name" "$folder/new"
    else
      echo "$engine with $name: no result"; tail -n 20 "$folder/log"; lost=1
    fi
    rm -f "$folder/new"
  done
done
node $here/table.mjs "$folder" "$write" && verdict=0 || verdict=1
[ "$write" = no ] || cp "$folder"/*.tsv "$folder"/versions.txt conformance/results/engines/ 2>/dev/null
exit $((verdict | lost))
