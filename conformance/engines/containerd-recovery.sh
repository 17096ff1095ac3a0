# Cells of containerd.sh about what goes wrong and what is set up for good: the shim's death, containerd's restart, the runtime as
# the default.

# What is left of a container: its processes (they all run `sleep TOKEN`), its cgroups, its state.
remains() { pgrep -fx "sleep $2"; find /sys/fs/cgroup -type d -name "$1"; find /run/containerd/runc -name "$1"; } # remains ID TOKEN
nothing_of() { [ -z "$(remains "$@")" ]; }
shim_of() { pgrep -f "containerd-shim-runc-v2.*-id $1 "; }
is_gone() { [ -z "$(status "$1")" ]; }
over() { is "$1" STOPPED || is_gone "$1"; }
# What containerd does by itself is waited for; then the record of the container goes, and its name must be free again.
cleaned() { # cleaned ID TOKEN
  eventually over "$1" || echo "still $(status "$1")"
  eventually nothing_of "$1" "$2" && echo nothing left || remains "$1" "$2"
  finish "$1"
  start "$1" @ sleep "$2" && status "$1"
  finish "$1"
}
shim_dies() { start orphan @ sh -c 'sleep 5001 & exec sleep 5001' && eventually pgrep -fx 'sleep 5001' && kill -KILL "$(shim_of orphan)" && cleaned orphan 5001; }
cell 'the shim dies: nothing is left, the id is free' $'nothing left\nRUNNING' shim_dies
shim_dies_paused() { start iced @ sleep 5002 && c task pause iced && status iced && kill -KILL "$(shim_of iced)" && cleaned iced 5002; }
cell 'the shim of a paused container dies' $'PAUSED\nnothing left\nRUNNING' shim_dies_paused
shim_dies_exec() {
  start busy @ sleep 5003 && c task exec -d --exec-id e1 busy sh -c 'setsid sleep 5003 & sleep 5003' || return
  eventually test "$(sleep 1; pgrep -cfx 'sleep 5003')" = 3; kill -KILL "$(shim_of busy)"; cleaned busy 5003
}
cell 'the shim dies while programs run through exec' $'nothing left\nRUNNING' shim_dies_exec
shim_dies_host() { start hostpid --with-ns pid:/proc/1/ns/pid @ sh -c 'sleep 5004 & exec sleep 5004' && eventually pgrep -fx 'sleep 5004' && kill -KILL "$(shim_of hostpid)" && cleaned hostpid 5004; }
cell "the shim of a container in the host's pid namespace dies" $'nothing left\nRUNNING' shim_dies_host
init_dies() { start slain @ sh -c 'sleep 5005 & exec sleep 5005' && eventually pgrep -fx 'sleep 5005' && kill -KILL "$(c task ls | awk '$1 == "slain" { print $2 }')"; eventually is slain STOPPED; c task delete slain 2>&1 | grep -o 'code [0-9]*'; cleaned slain 5005; }
cell 'the first process is killed from outside: 137' $'code 137\nnothing left\nRUNNING' init_dies

# containerd itself goes and comes back; the shims outlive it.
away() { # away SIGNAL COMMAND...: runs the command while containerd is down
  kill "-$1" "$daemon"; wait "$daemon" 2>/dev/null
  shift
  "$@"
  daemon_start
}
pid_of() { c task ls | awk -v id="$1" '$1 == id { print $2 }'; }
restarted() {
  local before; before=$(pid_of "$1")
  away "$2" true
  [ "$(pid_of "$1")" = "$before" ] && status "$1"
  c task exec --exec-id r1 "$1" sh -c 'echo still here; sleep 0.2' || echo "exec: $?"
  c task kill "$1" && eventually is "$1" STOPPED; c task delete "$1" 2>&1 | grep -o 'code [0-9]*'; c container rm "$1"
}
trapper='trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
if any_wanted 'containerd restarts: the task goes on, exec, kill, exit status' 'containerd is killed: the same' 'a task that ended while containerd is down: its exit status' 'a shim that died while containerd is down: nothing is left'; then
  for id in keep1 keep2 keep3; do start $id @ sh -c "$trapper"; eventually said $id ready; done
  start keep4 @ sleep 5006
  # In this shell, not a cell's: the daemon that comes back is our child, to be waited for.
  in_place() { "$@" >"$WORK/place" 2>&1 || echo "status $?" >>"$WORK/place"; }
  in_place restarted keep1 TERM
  cell 'containerd restarts: the task goes on, exec, kill, exit status' $'RUNNING\nstill here\ncode 7' cat "$WORK/place"
  in_place restarted keep2 KILL
  cell 'containerd is killed: the same' $'RUNNING\nstill here\ncode 7' cat "$WORK/place"
  ended() { ! kill -0 "$1" || grep -q '^State:.*Z' "/proc/$1/status"; }
  ends() { local pid; pid=$(cat "$WORK/keep3.pid"); kill -TERM "$pid"; eventually ended "$pid"; }
  pid_of keep3 >"$WORK/keep3.pid"
  missed() { away TERM ends; eventually is keep3 STOPPED; c task delete keep3 2>&1 | grep -o 'code [0-9]*'; c container rm keep3; }
  in_place missed
  # containerd 2 deletes what it finds stopped when it comes back, whatever the runtime.
  cell 'a task that ended while containerd is down: its exit status' "code 7$([ "$containerd" -lt 2 ] || echo '|')" cat "$WORK/place"
  unseen() { away TERM kill -KILL "$(shim_of keep4)"; cleaned keep4 5006; }
  in_place unseen
  cell 'a shim that died while containerd is down: nothing is left' $'nothing left\nRUNNING' cat "$WORK/place"
fi

# As containers are set up for good: the daemon's own runtime, not one named on the command line. There is no other one in reach.
if any_wanted "config.toml: 'runtime' of io.containerd.runtime.v1.linux" 'as runc on the PATH of containerd' 'as runc, with the older shim io.containerd.runc.v1' '--no-pivot' '--uidmap'; then
  mkdir -p "$WORK/bin"
  command -v containerd-shim-runc-v1 >/dev/null || UNSHOWABLE='runtime\.v1\.linux|older shim' UNSHOWABLE_REASON='containerd 2 has no older shims'
  for program in containerd-shim containerd-shim-runc-v1 containerd-shim-runc-v2; do ln -sf "$(command -v $program)" "$WORK/bin/$program"; done
  daemon_path=$WORK/bin away TERM true
  by_default() { c run --rm "$@" $image "own$RANDOM" echo own; ls /run/containerd/runc/default; }
  cell "config.toml: 'runtime' of io.containerd.runtime.v1.linux" 'own' by_default --runtime io.containerd.runtime.v1.linux
  ln -sf "$RUNTIME" "$WORK/bin/runc"
  cell 'as runc on the PATH of containerd' 'own' by_default
  cell 'as runc, with the older shim io.containerd.runc.v1' 'own' by_default --runtime io.containerd.runc.v1
  # With these two ctr forgets --runc-binary.
  cell '--no-pivot' 'own' by_default --no-pivot
  cell '--uidmap' ' 0 200000 3000' c run --rm --uidmap 0:200000:3000 --gidmap 0:200000:3000 $image "own$RANDOM" sh -c 'tr -s " " </proc/self/uid_map'
fi
