#!/usr/bin/env bash
# Times commands in turn, so that whatever else the machine does falls on all of them alike.
#   measure.sh ROUNDS FILE     FILE: "name<TAB>command<TAB>command..." a line; a sample is the sum of its commands
# Prints "name<TAB>microseconds" a sample; a name is dropped with "name<TAB>failed<TAB>text" when one of its commands fails.
# `untimed COMMAND` is run and not counted. {} in a command becomes a fresh container id; `gone {}` in place of a command waits, untimed, for its process to end.
set -u
rounds=$1
mapfile -t lines <"$2"
declare -A dropped
n=0

gone() { # the pid file that the create command wrote
  local pid
  pid=$(<"$WORK/$1.pid")
  while [ -e "/proc/$pid/stat" ] && ! grep -q ') [ZX] ' "/proc/$pid/stat" 2>/dev/null; do :; done
}

for ((round = 0; round <= rounds; round++)); do # round 0 warms caches and is not reported
  for ((i = 0; i < ${#lines[@]}; i++)); do
    IFS=$'\t' read -r -a fields <<<"${lines[(i + round) % ${#lines[@]}]}"
    name=${fields[0]}
    [ -z "${dropped[$name]:-}" ] || continue
    id=bench$((++n))
    total=0
    for command in "${fields[@]:1}"; do
      command=${command//\{\}/$id}
      case $command in
        'gone '*) gone "$id"; continue ;;
        'untimed '*) # getting ready, or tidying up
          read -r -a words <<<"${command#untimed }"
          "${words[@]}" </dev/null >"$WORK/bench.out" 2>&1 && continue
          dropped[$name]=yes
          printf '%s\tfailed\t%s\n' "$name" "$(tr '\n\t' '  ' <"$WORK/bench.out" | head -c 300)"
          break
          ;;
      esac
      read -r -a words <<<"$command"
      start=${EPOCHREALTIME/./}
      if ! "${words[@]}" </dev/null >"$WORK/bench.out" 2>&1; then
        dropped[$name]=yes
        printf '%s\tfailed\t%s\n' "$name" "$(tr '\n\t' '  ' <"$WORK/bench.out" | head -c 300)"
        break
      fi
      end=${EPOCHREALTIME/./}
      total=$((total + end - start))
    done
    [ -n "${dropped[$name]:-}" ] || [ $round = 0 ] || printf '%s\t%s\n' "$name" "$total"
  done
done
