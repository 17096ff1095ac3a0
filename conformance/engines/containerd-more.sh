# Cells of containerd.sh beyond create, start, kill and delete: exec, ps, pause, metrics, the shim's death.

start worker @ sh -c 'echo ready; exec sleep 1000'
eventually said worker ready
e() { c task exec --exec-id "x$RANDOM" "$@"; }
cell 'exec prints' 'hello' e worker echo hello
cell -s 7 'exec: the exit status comes back' '' e worker sh -c 'exit 7'
exec_stdin() { echo data | e worker head -n 1; }
cell 'exec: stdin' 'data' exec_stdin
cell 'exec runs beside the first process' '.*sleep 1000.*' e worker sh -c 'tr "\0" " " </proc/1/cmdline'
exec_terminal() { on_terminal "$C task exec -t --exec-id t$RANDOM worker sh -c 'tty; sleep 0.5; stty size'"; }
cell 'exec -t under a pty' $'/dev/pts/[0-9]+\n40 100' exec_terminal
cell 'exec --cwd' '/tmp' e --cwd /tmp worker pwd
# By number: for a name ctr mounts the overlay a second time, which breaks the first one.
cell 'exec --user' '1000' e --user 1000:1000 worker id -u
exec_missing() { e worker /bin/no-such-program 2>&1 | grep -oE 'no such file or directory|not found' | tail -1; }
cell 'exec of a program that is not there' '(no such file or directory|not found)' exec_missing
exec_detached() { e -d worker sh -c 'echo made >/tmp/made; sleep 50'; eventually e worker test -e /tmp/made && e worker cat /tmp/made; }
cell 'exec -d' 'made' exec_detached
ps_count() { c task ps worker | tail -n +2 | wc -l; }
cell 'task ps lists every process' '[2-9]' ps_count
paused() { c task pause worker && status worker; c task resume worker && status worker; }
cell 'pause and resume' $'PAUSED\nRUNNING' paused
frozen() {
  local result
  start ticker @ sh -c 'while :; do echo tick; sleep 0.1; done' && eventually said ticker tick && c task pause ticker || return
  sleep 0.3; result=$(wc -l <"$WORK/ticker.log"); sleep 0.5; [ "$result" = "$(wc -l <"$WORK/ticker.log")" ] && echo still; c task kill -s SIGKILL ticker; c task resume ticker 2>/dev/null; eventually is ticker STOPPED && echo dead; finish ticker
}
cell 'a paused task stands still and can be killed' $'still\ndead' frozen
cell 'metrics' '.*memory.usage.*|.*memory.*' c task metrics worker
finish worker
shim_dies() {
  local pid
  start orphan @ sleep 1000 || return
  pid=$(pgrep -f "containerd-shim-runc-v2.*-id orphan") || return
  kill -KILL "$pid"
  eventually is orphan STOPPED || eventually is_gone orphan; c task delete --force orphan >/dev/null 2>&1; c container rm orphan; pgrep -fx 'sleep 1000' || echo clean
}
is_gone() { [ -z "$(status "$1")" ]; }
cell 'the shim dies: nothing stays' 'clean' shim_dies
as_default() { # the runtime named in the daemon's options instead of the command line
  c run --rm --runtime io.containerd.runc.v2 --runc-binary "$RUNTIME" --runc-root "$WORK/own-root" $image own$RANDOM echo own; ls -A "$WORK/own-root/default" | wc -l
}
cell '--runc-root' $'own\n0' as_default
rm -f "$WORK/many"
cell '50 containers at once' '50' many 50
