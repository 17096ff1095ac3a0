# What .ci/run is made of. `passed`, `failed` and `skipped` are added to; $log is a folder for what is said.
# Each line tells the seconds that it took, and those of processors.

# timed SECONDS COMMAND...: into $log/out; sets `status` and `took`
timed() {
  local TIMEFORMAT='%R %U %S' limit=$1 real user system; shift
  { time timeout "$limit" "$@" >"$log/out" 2>&1; } 2>"$log/time"
  status=$?
  read -r real user system < <(tail -n 1 "$log/time")
  took="(${real%.*} s, processors $(awk -v a="$user" -v b="$system" 'BEGIN { printf "%d", a + b }') s)"
}

# step NAME COMMAND...: one thing that is right or wrong as a whole
step() {
  local name=$1 status took; shift
  timed 1300 "$@"
  if [ "$status" = 0 ]; then
    passed=$((passed + 1)); echo "ok     $name $took"
  else
    failed=$((failed + 1)); echo "FAILED $name, exit status $status $took"; tail -n 60 "$log/out"
  fi
}

# Names of the cells in this log, one a line: failures of TAP and of the rigs, and what TAP calls right.
failures() { sed -nE 's/^not ok ([0-9]+ - )?//p' "$1"; }
successes() { sed -nE 's/^ok [0-9]+ - //p' "$1" | sed 's/ # SKIP.*//'; }
sum_of() { grep -aE '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1; }
field() { sed -nE "s/^(.*, )?([0-9]+) $1.*/\2/p" <<<"$2" | grep . || echo 0; } # field WORD LINE

# again KIND FILE COMMAND...: what is named in the file, once more. KIND says how a suite is told: cells (ONLY, engines/lib.sh), cases, rigs.
# Fails if it cannot be told.
again() {
  local kind=$1 names=$2 list; shift 2
  # What is left at the end is the doing of cells that were right.
  ! grep -q 'leaves nothing behind' "$names" || return 1
  case $kind in
    cells)
      list=$(sed 's/[][().*+?{}|^$\\]/\\&/g' "$names" | sort -u | paste -sd '|')
      timed 1500 env ONLY="^($list)\$" "$@" ;;
    cases) timed 1500 "$@" --only "$(sort -u "$names" | paste -sd ,)" ;;
    rigs) timed 1500 "$@" --only "$(sed 's/: .*//' "$names" | sort -u | paste -sd ,)" ;;
    *) return 1 ;;
  esac
  [[ $(sum_of "$log/out") =~ ^([1-9]|0\ passed,\ [1-9]) ]] # otherwise no cell has run
}

# suite NAME KIND COMMAND...: its own last line is "N passed, N failed". What fails is run once more, by itself where that can be told (KIND,
# see above, or "whole"): some cells wait for daemons on a machine of two cores. What fails twice is wrong; what fails once is named.
# The counts are those of the first run.
suite() {
  local name=$1 kind=$2 status took line first good bad skip left; shift 2
  timed 1500 "$@"
  line=$(sum_of "$log/out") first=$status
  echo "$name: ${line:-no result, exit status $status} $took"
  good=$(field passed "$line") bad=$(field failed "$line") skip=$(field skipped "$line")
  if [ -n "$line" ] && { [ "$status" = 0 ] || [ "$bad" != 0 ]; }; then
    failures "$log/out" >"$log/wrong"
  else
    : >"$log/wrong" # none that has a name
    [ -z "$line" ] || echo "$name: exit status $status though nothing failed"
  fi
  if [ -n "$line" ] && [ "$status" = 0 ] && [ "$bad" = 0 ]; then
    left=0
  else
    if [ -s "$log/wrong" ]; then grep -aE -A16 '^not ok' "$log/out" | head -n 80; else tail -n 60 "$log/out"; fi
    twice "$name" "$kind" "$@"
  fi
  passed=$((passed + good + (bad > left ? bad - left : 0))) failed=$((failed + left)) skipped=$((skipped + skip))
}

# twice NAME KIND COMMAND...: the second run of a suite; sets `left`, how many are wrong, and where the first had no result the counts.
twice() {
  local name=$1 kind=$2 line how='once more'; shift 2
  cp "$log/wrong" "$log/wrong.1"
  if [ "$(wc -l <"$log/wrong")" = "$bad" ] && [ "$bad" != 0 ] && again "$kind" "$log/wrong.1" "$@"; then
    how='those once more'
    # One that has not run is as wrong as it was.
    [ "$kind" = rigs ] || successes "$log/out" | sort -u | comm -13 - <(sort -u "$log/wrong.1") >"$log/missing"
  else
    timed 1500 "$@"
  fi
  line=$(sum_of "$log/out")
  echo "$name, $how: ${line:-no result, exit status $status} $took"
  if [ "$status" != 0 ] && [ -n "$line" ] && [ "$(field failed "$line")" = 0 ]; then echo "$name, $how: exit status $status though nothing failed"; fi
  [ "$status" = 0 ] || { [ -n "$line" ] && grep -aE -A16 '^not ok' "$log/out" | head -n 80 | grep . || tail -n 60 "$log/out"; }
  { failures "$log/out"; cat "$log/missing" 2>/dev/null; } | sort -u >"$log/wrong.2"
  rm -f "$log/missing"
  if [ -z "$line" ]; then left=$((bad > 0 ? bad : 1))
  elif [ ! -s "$log/wrong.1" ]; then
    left=$(field failed "$line")
    [ "$good" != 0 ] || good=$(field passed "$line") bad=0 skip=$(field skipped "$line")
  elif [ "$(wc -l <"$log/wrong.1")" = "$bad" ]; then
    left=$(awk 'FILENAME == ARGV[1] { wrong[$0]; next } $0 in wrong' "$log/wrong.2" "$log/wrong.1" | wc -l)
  else left=$(field failed "$line") left=$((left < bad ? left : bad)) # some have no name to look for
  fi
  [ -z "$line" ] || [ "$status" = 0 ] || [ "$(field failed "$line")" != 0 ] || left=$((left + 1))
  [ "$left" -ge "$bad" ] || echo "$name: $((bad - left)) failed in one of two runs only"
}

# The README's test command. What fails runs once more, its files only; $log/first has the names.
npm_test() {
  local status took total good skip bad
  count() { sed 's/\x1b\[[0-9;]*m//g' "$log/out" | sed -nE "s/^ *$1: +([0-9]+).*/\1/p" | tail -n 1; }
  said() { echo "npm test$1: $(count Passed) of $(count Total) passed, $(count Skipped) skipped, exit status $status $took"; }
  names() { sed -n 's/^failed: //p' "$log/out" | sort -u; }
  timed 1500 npm test
  said ''
  total=$(count Total) good=$(count Passed) skip=$(count Skipped) bad=0
  if [ "$status" != 0 ] || [ "${good:-0}" != "${total:-none}" ]; then
    sed 's/\x1b\[[0-9;]*m//g' "$log/out" | grep -aE -A25 '^ +FAIL|did not come to its end|did not pass' | head -n 200
    names >"$log/wrong.1"
    [ -s "$log/wrong.1" ] || tail -n 60 "$log/out"
    # shellcheck disable=SC2046 # paths without blanks
    timed 1500 npm test -- $(sed -E 's/^([^:]*): .*/\1/' "$log/wrong.1" | sort -u)
    said ', those files once more'
    if [ ! -s "$log/wrong.1" ]; then total=$(count Total) good=$(count Passed) skip=$(count Skipped) bad=$((${total:-1} - ${good:-0}))
    elif [ -z "$(count Total)" ]; then bad=$((total - good))
    else
      bad=$(names | comm -12 "$log/wrong.1" - | wc -l)
      [ "$bad" = $((total - good)) ] || echo "npm test: $((total - good - bad)) failed in one of two runs only"
      good=$((total - bad))
    fi
    [ "$status" = 0 ] || [ "$bad" != 0 ] || [ -n "$(names)" ] || bad=1
    names | sed 's/^/failed: /'
  fi
  passed=$((passed + ${good:-0})) failed=$((failed + bad)) skipped=$((skipped + ${skip:-0}))
}

# lane NAME FUNCTION: suites beside the others, with counts of their own; `join NAME` waits for them and shows what they said, whole.
declare -A lanes
lane() {
  mkdir "$log/$1"
  (
    passed=0 failed=0 skipped=0 log=$log/$1
    "$2"
    echo "$passed $failed $skipped" >"$log/counts"
  ) >"$log/$1/said" 2>&1 &
  lanes[$1]=$!
}
join() {
  local a=0 b=1 c=0
  wait "${lanes[$1]}"
  cat "$log/$1/said"
  if [ -f "$log/$1/counts" ]; then read -r a b c <"$log/$1/counts"; else echo "FAILED $1: it did not come to its end"; fi
  passed=$((passed + a)) failed=$((failed + b)) skipped=$((skipped + c))
}
