#!/usr/bin/env bash
# npm run engines: every engine script with every runtime; rewrites docs/engines.md.
#   npm run engines -- [--engines "podman buildah"] [--runtimes "PATH PATH"] [--vm] [--no-write] [--page]
# --vm       also those that need systemd or a whole kernel: they run in the virtual machine (slow)
# --engines  only these; --runtimes: only these, in place of tsrun, crun and runc
# --no-write the verdict alone: nothing in the repository is changed
# --page     run nothing, write the page from the results that are there
# The results are kept in conformance/results/engines, a file an engine; what is not run keeps its last ones.
# Exits 1 if tsrun fails a cell that another runtime passes, or differs from one without a reason in reasons.json.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit
here=conformance/engines
host='podman rootless rootless-alone containerd docker cri buildah' virtual='systemd checkpoint'
engines=$host runtimes="dist/tsrun $(command -v crun) $(command -v runc)" write=yes
while [ $# -gt 0 ]; do
  case $1 in
    --engines) engines=$2; shift ;;
    --runtimes) runtimes=$2; shift ;;
    --vm) engines="$engines $virtual" ;;
    --no-write) write=no ;;
    --page) engines= ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done

folder=$(mktemp -d "$PWD/.engines.XXXXXX") # here, for the virtual machine gives back what lies below this folder
trap 'rm -rf "$folder"' EXIT
cp -a conformance/results/engines/. "$folder" 2>/dev/null
mkdir -p conformance/results/engines

run() { # run ENGINE RUNTIME RESULTS: as CI does it, without a terminal and with an environment of next to nothing
  local -a launch=(bash "$here/$1.sh")
  case $1 in
    systemd) launch=("$PWD/conformance/vm/run.sh" --systemd --timeout 3500 --save "${3#"$PWD/"}" -- "${launch[@]}") ;;
    checkpoint) launch=("$PWD/conformance/vm/run.sh" --timeout 3500 --save "${3#"$PWD/"}" -- "${launch[@]}") ;;
  esac
  env -i "PATH=$PATH" "HOME=$HOME" CI=true "RUNTIME=$(readlink -f "$2")" "RESULTS=$3" ${ONLY:+"ONLY=$ONLY"} timeout --foreground 3600 "${launch[@]}" </dev/null
}

lost=0
for engine in $engines; do
  [ -f "$here/$engine.sh" ] || continue
  for runtime in $runtimes; do
    name=$(basename "$runtime")
    run "$engine" "$runtime" "$folder/new" >"$folder/log" 2>&1
    if grep -qaE '^[0-9]+ passed, [0-9]+ failed' "$folder/log"; then
      echo "$engine with $name: $(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$folder/log")"
      grep -aA8 '^not ok' "$folder/log"
      node $here/merge.mjs "$folder/$engine.tsv" "$name" "$folder/new" "${ONLY:+part}"
    elif grep -qaE '^1\.\.0 # SKIP' "$folder/log"; then
      grep -aE '^1\.\.0 # SKIP' "$folder/log" | sed "s/^1..0 # SKIP/$engine with $name: left out:/"
    else
      echo "$engine with $name: no result"; tail -n 20 "$folder/log"; lost=1
    fi
    rm -f "$folder/new"
  done
done
node $here/table.mjs "$folder" "$write" && verdict=0 || verdict=1
[ "$write" = no ] || cp "$folder"/*.tsv conformance/results/engines/ 2>/dev/null
exit $((verdict | lost))
