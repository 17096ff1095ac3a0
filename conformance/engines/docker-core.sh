# Cells of docker.sh: what everyday `docker run` needs of a runtime (create, start, kill, delete).

memory=$(limit memory.limit_in_bytes memory.max) pids=$(limit pids.max pids.max)
logs_have() { d logs "$1" 2>&1 | grep -q "$2"; }

cell 'run prints' 'hello' run box echo hello
named() { d info --format '{{.DefaultRuntime}} {{index .Runtimes "rig"}}' && run --runtime rig box echo hello; }
cell 'the runtime is the one we named' $'rig .*\nhello' named
cell -s 42 'exit status passes through' '' run box sh -c 'exit 42'
# With other words than the runtime's, 127 comes from anything that Docker cannot find.
missing() { run box /bin/no-such-program 2>&1 | grep -o 'no-such-program' | head -n 1; return "${PIPESTATUS[0]}"; }
cell -s 127 'a program that is not there: 127' 'no-such-program' missing
cell -s 126 'a file that is no program: 126' '' run box /bin/plain
cell -s 126 'a directory: 126' '' run box /etc
cell 'stdout and stderr stay apart' 'out' run box sh -c 'echo out; echo err >&2'
from_stdin() { echo some data | run -i box cat; }
cell 'run -i reads stdin' 'some data' from_stdin
detached() { d run -d --name d1 --network none box sh -c 'echo working; sleep 100' >/dev/null && eventually logs_have d1 working || return; d ps --format '{{.Status}}' --filter name=d1; d rm -f d1 >/dev/null; }
cell 'run -d' 'Up .*' detached
stopped() {
  d run -d --name d2 --network none box sh -c 'trap "echo told; exit 7" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null && eventually logs_have d2 ready || return
  d stop -t 10 d2 >/dev/null; d inspect --format '{{.State.Status}} {{.State.ExitCode}}' d2; d logs d2; d rm d2 >/dev/null
}
cell 'stop sends TERM and waits' $'exited 7\nready\ntold' stopped
stopped_hard() { d run -d --name d3 --network none box sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null && d stop -t 1 d3 >/dev/null; d inspect --format '{{.State.ExitCode}}' d3; d rm d3 >/dev/null; }
cell 'stop ends a deaf program: 137' '137' stopped_hard
killed() { d run -d --name d4 --network none box sleep 100 >/dev/null && d kill d4 >/dev/null; d wait d4; d rm d4 >/dev/null; }
cell 'kill' '137' killed
signalled() {
  d run -d --name d5 --network none box sh -c 'trap "exit 5" USR1; echo ready; while :; do sleep 0.1; done' >/dev/null && eventually logs_have d5 ready || return
  d kill -s USR1 d5 >/dev/null; d wait d5; d rm d5 >/dev/null
}
cell 'kill -s USR1 reaches the program' '5' signalled
again() { d create --name d6 --network none box sh -c 'echo x >>/count; wc -l </count' >/dev/null && d start -a d6 && d start -a d6; d rm d6 >/dev/null; }
cell 'the same container starts twice' $'1\n2' again
removed() { d run -d --name d7 --network none box sleep 7007 >/dev/null && eventually pgrep -fx 'sleep 7007' && echo ran; d rm -f d7 >/dev/null && d ps -aq --filter name=d7; pgrep -fx 'sleep 7007' || :; }
cell 'rm -f of a running container' 'ran' removed

terminal() { on_terminal "$D run --rm -it --network none box sh -c 'sleep 0.5; tty; stty size; ls -l /dev/console | cut -c1'"; }
cell 'run -it under a pty' $'/dev/pts/0\n40 100\nc' terminal
interactive() {
  timeout -k 5 $deadline expect -c '
    log_user 0; set timeout 30; set stty_init "rows 40 cols 100"
    spawn {*}[split $env(D) " "] run --rm -it --network none box sh
    expect "# "; send "echo sum=\$((40+2))\r"
    expect "sum=42" { puts "answered" }
    send "exit 9\r"; expect eof
    exit [lindex [wait] 3]'
}
export D
cell -s 9 'a person types into run -it' 'answered' interactive

cell 'the default seccomp profile is on' 'Seccomp:	2' run box grep Seccomp: /proc/self/status
cell 'it denies a user namespace' '.*Operation not permitted' run box sh -c 'unshare -U true 2>&1; :'
cell 'seccomp=unconfined allows it' 'Seccomp:	0' run --security-opt seccomp=unconfined box unshare -U grep Seccomp: /proc/self/status
cell 'no-new-privileges' 'NoNewPrivs:	1' run --security-opt no-new-privileges box grep NoNewPrivs /proc/self/status
cell '--memory' '67108864' run --memory 64m box cat "$memory"
out_of_memory() { run --memory 16m --memory-swap 16m box sh -c 'tail /dev/zero'; }
cell -s 137 '--memory: beyond it is killed' '' out_of_memory
if [ "$CGROUP" = 2 ]; then cell '--cpus' '50000 100000' run --cpus 0.5 box cat /sys/fs/cgroup/cpu.max
else cell '--cpus' $'50000\n100000' run --cpus 0.5 box cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us; fi
cell '--cpuset-cpus' 'Cpus_allowed_list:	1' run --cpuset-cpus 1 box grep Cpus_allowed_list /proc/self/status
cell '--pids-limit' '20' run --pids-limit 20 box cat "$pids"
cell '--cgroup-parent' '.*/parent/.*' run --cgroup-parent /parent --cgroupns host box grep -m1 parent /proc/self/cgroup
cell '--read-only' '.*Read-only file system' run --read-only box sh -c 'touch /file 2>&1; :'
cell '--user' '1000 1000' run --user 1000:1000 box sh -c 'echo $(id -u) $(id -g)'
cell '--user by name, --group-add' '1000 .*3000.*' run --user app --group-add 3000 box id -G
cell '--cap-drop=all' 'CapEff:	0000000000000000' run --cap-drop=all box grep CapEff /proc/self/status
cell '--cap-add' 'CapEff:	0000000000000401' run --cap-drop=all --cap-add=chown --cap-add=net_bind_service box grep CapEff /proc/self/status
cell '--privileged' $'CapEff:	0000[0-9a-f]{3}ff[ef]ffffff\nSeccomp:	0' run --privileged box grep -E 'CapEff|Seccomp:' /proc/self/status
cell '--tmpfs' '.* /scratch tmpfs .*size=1024k.*' run --tmpfs /scratch:size=1m box grep ' /scratch ' /proc/mounts
volume() { mkdir -p "$WORK/shared"; echo from outside >"$WORK/shared/in"; run -v "$WORK/shared:/data" box sh -c 'cat /data/in; echo from inside >/data/out'; cat "$WORK/shared/out"; }
cell '-v' $'from outside\nfrom inside' volume
cell '-v :ro' '.*Read-only file system' run -v "$WORK/shared:/data:ro" box sh -c 'touch /data/x 2>&1; :'
cell '--hostname, -e, -w' 'box7 /tmp value' run --hostname box7 -e KEY=value -w /tmp box sh -c 'echo $(hostname) $PWD $KEY'
cell '--ulimit' '512' run --ulimit nofile=512:512 box sh -c 'ulimit -n'
cell '--sysctl' '3000' run --sysctl net.core.somaxconn=3000 box cat /proc/sys/net/core/somaxconn
cell '--device' 'c' run --device /dev/null:/dev/nothing box sh -c 'ls -l /dev/nothing | cut -c1'
cell '--init' '.*(docker-init|tini).*' run --init box sh -c 'cat /proc/1/cmdline | tr "\0" " "'
cell '--pid host' "$(readlink /proc/self/ns/pid | sed 's/[][]/\\&/g')" run --pid host box readlink /proc/self/ns/pid
cell '--network host' "$(readlink /proc/self/ns/net | sed 's/[][]/\\&/g')" d run --rm --network host box readlink /proc/self/ns/net
restarted() { d run -d --name d8 --network none --restart on-failure:2 box sh -c 'exit 3' >/dev/null; eventually sh -c "$D inspect --format '{{.RestartCount}} {{.State.Status}}' d8 | grep -qx '2 exited'" && echo twice; d rm -f d8 >/dev/null; }
cell '--restart on-failure' 'twice' restarted
