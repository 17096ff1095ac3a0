#!/usr/bin/env bash
# Do the cells notice? Breaks a good runtime (PEER, default crun) in one way at a time and wants the cells about it to fail.
#   conformance/engines/selftest.sh podman|containerd|docker|cri|crio|buildah [ONLY-THESE-CELLS (extended regular expression)]
# First the wrapper must be harmless, and a runtime that does nothing at all must fail every cell but those about the engine alone.
set -u
cd "$(dirname "$(readlink -f "$0")")" || exit
engine=${1:-podman} wanted=${2:-}
[ -f "selftest-$engine.sh" ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
PEER=${PEER:-$(command -v crun)}
folder=$(mktemp -d)
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
cp saboteur.sh "$folder/saboteur"
blind=0 seen=0 part=all

with() { # with VERB|- FILTER ONLY: prints what the engine's script says about the runtime broken in this way
  printf 'PEER=%q SABOTAGE_VERB=%q SABOTAGE=%q\n' "$PEER" "$1" "$2" >"$folder/sabotage.conf"
  ONLY=$3 RUNTIME=$folder/saboteur setsid -w bash "./$engine.sh" "$part" 2>&1 </dev/null
}
literally() { sed 's/[][().*+?{}|^$\\]/\\&/g' <<<"$1"; }
noticed() { seen=$((seen + 1)); echo "ok - noticed: $1"; }
missed() { blind=$((blind + 1)); echo "not ok - blind: $1"; }

# broken VERB|- JQ-FILTER CELL-NAME...: every cell named must fail with the runtime broken so. One run a cell, or with together=yes one for all.
together=no
broken() {
  local verb=$1 filter=$2 name names=() pattern= out=
  shift 2
  for name; do
    [[ ! $name =~ ${wanted:-.} ]] || { names+=("$name"); pattern+="|^$(literally "$name")\$"; }
  done
  [ ${#names[@]} -gt 0 ] || return 0
  [ $together = no ] || out=$(with "$verb" "$filter" "${pattern#|}")
  for name in "${names[@]}"; do
    [ $together = yes ] || out=$(with "$verb" "$filter" "^$(literally "$name")\$")
    if grep -qxE "not ok [0-9]+ - $(literally "$name")" <<<"$out"; then noticed "$name"
    else missed "$name ($verb $filter)"; sed 's/^/    /' <<<"$out"; fi
  done
}

harmless() {
  local out
  if out=$(with - . ''); then echo 'ok - harmless without sabotage'; else missed 'nothing, for the wrapper is harmful'; grep -A9 '^not ok' <<<"$out"; fi
}
# A runtime that does nothing. ALONE is an extended regular expression: cells that are about the engine and not about its runtime.
nothing() { # nothing ALONE
  local name out
  out=$(with all . '')
  grep -q '^not ok' <<<"$out" || { missed 'everything'; return; }
  while IFS= read -r name; do
    [[ $name =~ ^(${1:-none}|leaves nothing behind)$ ]] || missed "$name (a runtime that does nothing)"
  done < <(sed -nE '/# SKIP/d; s/^ok [0-9]+ - //p' <<<"$out")
  noticed "$(grep -c '^not ok' <<<"$out") cells that nothing was done"
}
# A runtime that deletes nothing is caught by the look for leftovers.
leftover() { # leftover [CELL]: one that leaves something
  if with delete '' "^(${1:-run prints}|leaves nothing behind)\$" | grep -qE '^not ok [0-9]+ - leaves nothing'; then noticed 'leaves nothing behind'; else missed 'leaves nothing behind'; fi
}
. "./selftest-$engine.sh"
echo "$seen noticed, $blind blind"
[ $blind = 0 ]
