#!/usr/bin/env bash
# A runtime that misbehaves on purpose, for selftest.sh: it passes its arguments on to PEER, but skips the verb SABOTAGE_VERB
# (with exit status 0; "all": every verb), or runs the bundle's config.json through the jq filter SABOTAGE before create and run. Engines hand
# hardly any environment down, so these come from a file beside the copy of this script that is used as the runtime.
set -u
. "$(dirname "$(readlink -f "$0")")/sabotage.conf"
verb= bundle=. previous=
for argument; do
  case $previous in --bundle | -b) bundle=$argument ;; esac
  [ -n "$verb" ] || case $argument in create | start | run | kill | delete | exec | pause | resume | update | state | ps) verb=$argument ;; esac
  previous=$argument
done
[ "$verb" != "${SABOTAGE_VERB:-none}" ] || exit 0
[ "${SABOTAGE_VERB:-}" != all ] || [ "${1:-}" = --version ] || exit 0
case $verb in
  create | run)
    if [ -n "${SABOTAGE:-}" ]; then
      jq "$SABOTAGE" "$bundle/config.json" >"$bundle/config.new" && cat "$bundle/config.new" >"$bundle/config.json"
      rm -f "$bundle/config.new"
    fi
    ;;
esac
exec "$PEER" --root "/run/$(basename "$0")" "$@" # where the look for leftovers looks; an engine's own --root comes later and counts
