# Cells of checkpoint.sh: the runtime by itself.

direct_part() {
  local before
  bundle one "$PAYLOAD" '.linux.resources.pids.limit = 44 | .hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "echo hook >>'"$WORK"'/one/hooks"]}]'
  start one && eventually counts one 5
  cell 'checkpoint' '' dump one
  cell 'it deletes the container' '' status one
  before=$(count one)
  restored() { back one --pid-file "$WORK/one/pid2" && echo "$(status one) $([ "$(cat "$WORK/one/pid2")" = "$(rt state cell-one | jq .pid)" ] && echo same)"; }
  cell 'restore -d: running, and the pid file' 'running same' restored
  cell 'memory has survived' '' goes_on one "$before"
  cell 'exec in a restored container' '1 hello' rt exec cell-one sh -c 'echo $(ls -d /proc/1 | wc -l) hello'
  cell 'limits are those of the config' '44' cat "/sys/fs/cgroup/cell-one/pids.max"
  cell 'its processes are in its cgroup' '/cell-one' eval 'sed "s/.*::\(\/cell-one\).*/\1/" "/proc/$(cat "$WORK/one/pid2")/cgroup"'
  cell 'hooks run again' $'hook\nhook' cat "$WORK/one/hooks"
  cell 'nothing of it is mounted on the host' '0' eval 'grep -c criu /proc/self/mountinfo; :'
  # runc leaves it down
  [ "$NAME" != tsrun ] || cell 'its own network has a loopback that is up' '1' rt exec cell-one sh -c 'ip link show lo | grep -c LOOPBACK,UP'
  cell '--leave-running' 'running' eval 'dump one --leave-running && status one'
  before=$(count one)
  cell 'it has left it running' '' goes_on one "$before"
  again() { rt pause cell-one && rm -rf "$WORK/one/image" && dump one && status one; }
  cell 'a paused container' '' again
  cell 'kill and delete after a restore' '' eval 'back one && rt kill cell-one KILL && eventually [ "$(status one)" = stopped ] && rt delete cell-one && status one'
  finish one
  in_part || return 0

  bundle two "$PAYLOAD"
  start two && eventually counts two 5
  cell '--pre-dump leaves it running' 'running' eval 'rt checkpoint --pre-dump --image-path "$WORK/two/pre" cell-two && status two'
  absolute() { dump two --parent-path "$WORK/two/pre" 2>&1 | grep -o 'parent-path'; status two; }
  cell '--parent-path must be relative' $'(parent-path\n)+running' absolute
  cell '--parent-path' $'parent -> ../pre' eval 'dump two --parent-path ../pre && ls -l "$WORK/two/image/parent" | grep -o "parent -> .*"'
  before=$(count two)
  cell 'restore from both' '' eval 'back two && goes_on two '"$before"
  finish two

  # Standard streams into a file of the host cannot be saved.
  bundle three 'echo $$; '"$PAYLOAD"
  rt run -d --bundle "$WORK/three" cell-three </dev/null >"$WORK/three/out" 2>/dev/null && eventually counts three 5
  cell -s 1 'a failing checkpoint' '' dump three
  reason() { dump three 2>&1 >/dev/null; rt --log "$WORK/three/log" --log-format json checkpoint --image-path "$WORK/three/i2" cell-three 2>/dev/null; jq -r 'select(.level == "error") | .msg' "$WORK/three/log"; }
  [ "$NAME" != tsrun ] || cell 'it says why, with the errors of the log' "(.|\n)*Can't lookup mount=.* path=.*/three/out(.|\n)*" reason
  before=$(count three)
  cell 'it has left it running, too' '' goes_on three "$before"
  finish three

  bundle stop "$PAYLOAD"
  start stop && eventually counts stop 5
  interrupted() {
    timeout -k 5 120 "$RUNTIME" checkpoint --image-path "$WORK/stop/image" --work-path "$WORK/stop/work" cell-stop 2>/dev/null &
    eventually test -s "$WORK/stop/work/dump.log"
    kill -TERM "$(pgrep -P $! | head -n 1)"
    wait $! && return
    sleep 2
    local now
    now=$(count stop)
    goes_on stop "$now" && status stop
  }
  [ "$NAME" != tsrun ] || cell 'interrupted by a signal, it leaves it running' 'running' interrupted
  finish stop

  if criu check --feature uffd-noncoop >/dev/null 2>&1; then
    bundle lazy "$PAYLOAD"
    start lazy && eventually counts lazy 5
    lazily() {
      mkfifo "$WORK/lazy/ready" && exec {ready}<>"$WORK/lazy/ready"
      timeout -k 5 120 "$RUNTIME" checkpoint --lazy-pages --page-server 127.0.0.1:27277 --status-fd $ready --image-path "$WORK/lazy/image" --work-path "$WORK/lazy/work" cell-lazy 2>"$WORK/lazy/err" &
      local dumping=$! daemon
      timeout 60 head -c 1 <&$ready | od -An -tx1
      exec {ready}>&-
      criu lazy-pages --page-server --address 127.0.0.1 --port 27277 -D "$WORK/lazy/image" -W "$WORK/lazy/work" >/dev/null 2>&1 &
      daemon=$!
      eventually test -S "$WORK/lazy/work/lazy-pages.socket"
      jq '.linux.cgroupsPath = "/cell-lazy2"' "$WORK/lazy/config.json" >"$WORK/new" && cp "$WORK/new" "$WORK/lazy/config.json"
      rt restore -d --lazy-pages --bundle "$WORK/lazy" --image-path "$WORK/lazy/image" --work-path "$WORK/lazy/work" cell-lazy2 </dev/null >/dev/null || return
      wait $dumping; echo "dump $?"; wait $daemon; echo "pages $?"
      rt state cell-lazy2 | jq -r .status
    }
    cell '--lazy-pages with --page-server and --status-fd' $' 00\ndump 0\npages 0\nrunning' lazily
    cell 'the dumped one is deleted then' '' status lazy
    rt delete --force cell-lazy2 >/dev/null 2>&1
    finish lazy
  fi

  # Pipes are replaced by the caller's. The FIFO is what CRIU may find on both ends.
  bundle four 'while read line; do echo "got $line"; done; exit 7'
  pipes() {
    local in out
    mkfifo "$WORK/four/keep"
    exec {keep}<>"$WORK/four/keep"
    rt run -d --bundle "$WORK/four" cell-four < <(exec sleep 1000) > >(cat >"$WORK/four/first") 2>&1
    sleep 0.5
    dump four || return
    printf 'one\ntwo\n' | timeout 60 "$RUNTIME" restore --bundle "$WORK/four" --image-path "$WORK/four/image" --work-path "$WORK/four/work" cell-four 2>"$WORK/four/err" | cat
    echo "${PIPESTATUS[1]}"
    exec {keep}>&-
  }
  cell 'restore in the foreground: new pipes, exit status' $'got one\ngot two\n7' pipes
  cell 'nothing of it is left' '' eval 'status four; ls -d /sys/fs/cgroup/cell-four 2>/dev/null; :'
  finish four

  mkdir -p "$WORK/ro" "$WORK/rw" && echo data >"$WORK/ro/file" && chmod 755 "$WORK/ro" "$WORK/rw"
  bundle five "$PAYLOAD" '.mounts += [{destination: "/ro", type: "bind", source: "'"$WORK"'/ro", options: ["rbind", "ro"]}, {destination: "/rw/deep", type: "bind", source: "'"$WORK"'/rw", options: ["rbind"]}]
    | .linux.namespaces |= map(if .type == "network" then .path = "/run/netns/cell" else . end)'
  ip netns add cell
  start five && eventually counts five 5
  cell 'bind mounts and a joined network: checkpoint' '' dump five
  rm -rf "$WORK/five/rootfs/rw" "$WORK/five/rootfs/ro" # restored into a root that never saw them, as podman's --import does
  cell 'restore makes the places to mount on' '' back five
  cell 'binds are there, read-only where they were' $'data\nro\nrw' rt exec cell-five sh -c 'cat /ro/file; touch /ro/x 2>/dev/null || echo ro; touch /rw/deep/x && echo rw'
  network() { [ "$(readlink "/proc/$(rt state cell-five | jq .pid)/ns/net")" = "net:[$(stat -Lc %i /run/netns/cell)]" ]; }
  cell 'it is in the same network' '' network
  # security.md S52: the image's word against the config's.
  if [ "$NAME" = tsrun ]; then
    dump five >/dev/null
    jq '(.mounts[] | select(.destination == "/rw/deep") | .options) += ["ro"]' "$WORK/five/config.json" >"$WORK/new" && cp "$WORK/new" "$WORK/five/config.json"
    refused() { back five 2>&1; echo "$?"; status five; ls -d /sys/fs/cgroup/cell-five /run/tsrun/cell-five 2>/dev/null; :; }
    cell 'S52: an image cannot make a read-only bind writable' "tsrun restore cell-five: mounts\[[0-9]+\] \(/mounts/[0-9]+\): '/rw/deep' is writable in the container, and read-only in the config.*"$'\n1' refused
    jq 'del(.mounts[] | select(.destination == "/ro"))' "$WORK/five/config.json" >"$WORK/new" && cp "$WORK/new" "$WORK/five/config.json"
    cell 'S52: an image cannot bind what the config does not list' $'tsrun restore cell-five: .*No mapping for .* mountpoint.*\n1' refused
    bundle link "$PAYLOAD" '.mounts += [{destination: "/conf", type: "bind", source: "'"$WORK"'/ro", options: ["bind"]}]'
    mkdir "$WORK/link/rootfs/real" && ln -s /real "$WORK/link/rootfs/conf"
    start link && eventually counts link 5
    symlinked() { dump link 2>&1; echo "$?"; status link; }
    cell 'S52: a destination behind a link is refused, by its key' $'tsrun checkpoint cell-link: mounts\[[0-9]+\] \(/mounts/[0-9]+\): nothing is mounted on \'/conf\'.*\n1\nrunning' symlinked
    finish link
  fi
  finish five
  ip netns del cell

  bundle six "$PAYLOAD" '.annotations["org.criu.config"] = "'"$WORK"'/criu.conf"'
  echo 'log-file=other.log' >"$WORK/criu.conf"
  start six && eventually counts six 5
  cell 'org.criu.config' 'other.log' eval 'dump six && ls "$WORK/six/work" | grep log'
  cell -s 1 'no image: an error' '' rt restore -d --bundle "$WORK/six" --image-path "$WORK/nowhere" cell-six
  cell 'and nothing is left' '' status six
  finish six

  # Not one long sleep: with CRIU 4.2.1 and busybox 1.38 it was over as soon as it was restored.
  bundle seven 'while :; do sleep 0.1; done' '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{type: "user"}]'
  chown -R 100000:100000 "$WORK/seven/rootfs"
  start seven
  cell 'a user namespace' '0 100000 65536' eval 'dump seven && back seven && rt exec cell-seven cat /proc/self/uid_map | xargs echo'
  finish seven
}
