#!/usr/bin/env bash
# npm run engines: every engine script with every runtime; rewrites docs/engines.md.
#   bash conformance/engines/all.sh [--engines "podman buildah"] [--runtimes "PATH PATH"] [--part core] [--no-write]
# Exits 1 if tsrun fails a cell that no peer fails, or one that no peer was asked. Without --engines and --runtimes: all of them,
# with crun and runc as controls; what is not installed is left out.
set -u
cd "$(dirname "$(readlink -f "$0")")" || exit
engines='podman rootless containerd docker buildah cri' runtimes="../../dist/tsrun $(command -v crun) $(command -v runc)" part=all write=yes
while [ $# -gt 0 ]; do
  case $1 in
    --engines) engines=$2; shift ;;
    --runtimes) runtimes=$2; shift ;;
    --part) part=$2; shift ;;
    --no-write) write=no ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done

RESULTS=$(mktemp)
export RESULTS
trap 'rm -f "$RESULTS"' EXIT
for engine in $engines; do
  [ -x "$engine.sh" ] || continue
  for runtime in $runtimes; do
    RUNTIME=$runtime bash "./$engine.sh" "$part" || true
  done
done
node table.mjs "$RESULTS" "$write"
