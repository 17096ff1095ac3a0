# Cells of containerd.sh beyond create, start, kill and delete: exec, ps, pause, metrics, many at once.

start worker --memory-limit 67108864 @ sh -c 'echo ready; exec sleep 1000'
eventually said worker ready
e() { c task exec --exec-id "x$RANDOM" "$@"; }
# ctr 1.6 now and then drops what a program wrote right before its end, with every runtime.
says() { local flags=(); while [ "$1" != @ ]; do flags+=("$1"); shift; done; shift; e "${flags[@]}" worker sh -c "$*; sleep 0.2"; }
cell 'exec prints' 'hello' says @ echo hello
cell -s 7 'exec: the exit status comes back' '' e worker sh -c 'exit 7'
exec_stdin() { echo data | says @ head -n 1; }
cell 'exec: stdin' 'data' exec_stdin
cell 'exec runs beside the first process' '.*sleep 1000.*' says @ 'tr "\0" " " </proc/1/cmdline'
exec_terminal() { on_terminal "$C task exec -t --exec-id t$RANDOM worker sh -c 'tty; sleep 0.5; stty size; sleep 0.2'"; }
cell 'exec -t under a pty' $'/dev/pts/[0-9]+\n40 100' exec_terminal
cell 'exec --cwd' '/tmp' says --cwd /tmp @ pwd
# By number: for a name ctr mounts the overlay a second time, which breaks the first one.
cell 'exec --user' '1000' says --user 1000:1000 @ id -u
exec_missing() { e worker /bin/no-such-program 2>&1 | grep -oE 'no-such-program.*(no such file or directory|not found)' | tail -1; }
cell 'exec of a program that is not there' 'no-such-program.*' exec_missing
exec_detached() { e -d worker sh -c 'echo made >/tmp/made; sleep 50'; eventually e worker test -e /tmp/made && says @ cat /tmp/made; }
cell 'exec -d' 'made' exec_detached
ps_count() { e -d worker sleep 50; c task ps worker | tail -n +2 | wc -l; }
cell 'task ps lists every process' '[2-9]' ps_count
freezer() { frozen_or_thawed "$(c task ls | awk -v id="$1" '$1 == id { print $2 }')"; }
paused() { c task pause worker && status worker; freezer worker; c task resume worker && status worker; freezer worker; }
cell 'pause and resume' $'PAUSED\nfrozen\nRUNNING\nthawed' paused
frozen() {
  local result
  start ticker @ sh -c 'while :; do echo tick; sleep 0.1; done' && eventually said ticker tick && c task pause ticker || return
  sleep 0.3; result=$(wc -l <"$WORK/ticker.log"); sleep 0.5; [ "$result" = "$(wc -l <"$WORK/ticker.log")" ] && echo still; c task kill -s SIGKILL ticker; c task resume ticker 2>/dev/null; eventually is ticker STOPPED && echo dead; finish ticker
}
cell 'a paused task stands still and can be killed' $'still\ndead' frozen
metrics() { c task metrics --format json worker | jq -r "$1"; }
if [ "$CGROUP" = 2 ]; then cell 'task metrics' '[1-9][0-9]* [1-9][0-9]* [1-9][0-9]* 67108864' metrics '"\(.cpu.usage_usec) \(.pids.current) \(.memory.usage) \(.memory.usage_limit)"'
else cell 'task metrics' '[1-9][0-9]* [1-9][0-9]* [1-9][0-9]* 67108864' metrics '"\(.cpu.usage.total) \(.pids.current) \(.memory.usage.usage) \(.memory.usage.limit)"'; fi
finish worker
out_of_memory() {
  c events >"$WORK/events" & local watch=$!
  start hungry --memory-limit 16777216 @ sh -c 'sleep 1; tail /dev/zero' && eventually is hungry STOPPED
  eventually grep -q '/tasks/oom.*hungry' "$WORK/events" && echo told; kill $watch
  c task delete hungry 2>&1 | grep -o 'code [0-9]*'; c container rm hungry
}
cell 'out of memory: the event and the status' $'told\ncode 137' out_of_memory
kill_exec() { # the program that runs through exec is told, the container is not
  start two @ sleep 1000 && c task exec -d --exec-id inner two sh -c 'trap "echo told >/told; exit" USR1; echo ready >/ready; while :; do sleep 0.1; done' && eventually c task exec --exec-id r1 two test -e /ready || return
  c task kill --exec-id inner -s SIGUSR1 two; eventually c task exec --exec-id "r$RANDOM" two test -e /told && status two; c task delete --exec-id inner two >/dev/null 2>&1; finish two
}
cell 'kill --exec-id' 'RUNNING' kill_exec
kill_all() {
  start three @ sh -c 'trap "" USR1; (trap "echo child told; exit" USR1; echo child ready; while :; do sleep 0.1; done) & wait $!; wait $!; exec sleep 1000' && eventually said three 'child ready' || return
  c task kill --all -s SIGUSR1 three; eventually said three 'child told' && status three; finish three
}
cell 'kill --all reaches every process' 'RUNNING' kill_all
attached() { # a detached container with a terminal; a person joins it and types
  on_terminal "$C run -d -t $R $image att sh -c 'read line; echo got \$line; exec sleep 1000'" >/dev/null || return
  timeout -k 5 30 expect -c 'log_user 0; set timeout 10; spawn {*}[split $env(C) " "] task attach att; sleep 1; send "typed\r"; expect "got typed" { puts "answered" }'
  finish att
}
export C
cell 'task attach' 'answered' attached
own_root() {
  c run --rm --runtime io.containerd.runc.v2 --runc-binary "$RUNTIME" --runc-root "$WORK/own-root" $image own$RANDOM echo own; ls "$WORK/own-root/default" | wc -l
}
cell '--runc-root' $'own\n0' own_root
rm -f "$WORK/many"
cell '50 containers at once' '50' many 50
