# Cells of podman.sh: what everyday `podman run` needs of a runtime (create, start, kill, delete).

memory=$(limit memory.limit_in_bytes memory.max) pids=$(limit pids.max pids.max)

cell 'run prints' 'hello' run box echo hello
cell -s 42 'exit status passes through' '' run box sh -c 'exit 42'
cell -s 127 'a program that is not there: 127' '' run box /bin/no-such-program
cell -s 126 'a file that is no program: 126' '' run box /bin/plain
cell 'stdout and stderr stay apart' 'out' run box sh -c 'echo out; echo err >&2'
from_stdin() { echo some data | run -i box cat; }
cell 'run -i reads stdin' 'some data' from_stdin
cell 'pid 1, in namespaces of its own' '1 [0-9]+' run box sh -c 'echo $$ $(ls -l /proc/self/ns | wc -l)'
other_namespaces() {
  local kind
  run box sh -c 'for k in mnt pid ipc uts net; do readlink /proc/self/ns/$k; done' >"$WORK/inside" || return
  for kind in mnt pid ipc uts net; do readlink "/proc/self/ns/$kind"; done | grep -Fxf - "$WORK/inside"
  echo "$(wc -l <"$WORK/inside") different"
}
cell 'no namespace is the host'"'"'s' '5 different' other_namespaces

detached() { local id; id=$(p run -d --network none box sh -c 'echo working; sleep 100') || return; eventually logs_have "$id" working || return; p ps --format '{{.Status}}' --filter "id=$id"; p rm -f -t 0 "$id" >/dev/null; }
cell 'run -d' 'Up .*' detached
stopped() {
  p run -d --name stopper --network none box sh -c 'trap "echo told; exit 7" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null || return
  eventually logs_have stopper ready || return
  p stop -t 10 stopper >/dev/null || return
  p inspect --format '{{.State.Status}} {{.State.ExitCode}}' stopper; p logs stopper; p rm stopper >/dev/null
}
cell 'stop sends TERM and waits' $'exited 7\nready\ntold' stopped
stopped_hard() {
  p run -d --name stubborn --network none box sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null || return
  p stop -t 1 stubborn >/dev/null 2>&1; p inspect --format '{{.State.ExitCode}}' stubborn; p rm stubborn >/dev/null
}
cell 'stop ends a deaf program: 137' '137' stopped_hard
killed() { p run -d --name victim --network none box sleep 100 >/dev/null && p kill -s KILL victim >/dev/null && p wait victim; p rm victim >/dev/null; }
cell 'kill -s KILL' '137' killed
signalled() {
  p run -d --name handler --network none box sh -c 'trap "echo usr1; exit 5" USR1; echo ready; while :; do sleep 0.1; done' >/dev/null || return
  eventually logs_have handler ready || return; p kill -s USR1 handler >/dev/null && p wait handler; p logs handler; p rm handler >/dev/null
}
cell 'kill -s USR1 reaches the program' $'5\nready\nusr1' signalled
removed() { p run -d --name gone --network none box sleep 100 >/dev/null && p rm -f -t 0 gone >/dev/null && p ps -aq --filter name=gone; }
cell 'rm -f of a running container' '' removed
created() { p create --name later --network none box echo started later >/dev/null && p start -a later; p rm later >/dev/null; }
cell 'create, then start -a' 'started later' created
again() { p create --name twice --network none box sh -c 'echo x >>/count; wc -l </count' >/dev/null && p start -a twice && p start -a twice; p rm twice >/dev/null; }
cell 'the same container starts twice' $'1\n2' again
removed_created() { p create --name never --network none box true >/dev/null && p init never >/dev/null && p inspect --format '{{.State.Status}}' never; p rm -f -t 0 never >/dev/null; }
cell 'init, then rm -f' '(created|initialized)' removed_created
same_name() { p create --name one --network none box true >/dev/null; p create --name one box true 2>/dev/null && echo twice; p rm one >/dev/null; }
cell 'a name is taken once' '' same_name

terminal() { on_terminal "$P run --rm -it --network none box sh -c 'tty; stty size; ls -l /dev/console | cut -c1'"; }
cell 'run -it under a pty' $'/dev/pts/0\n40 100\nc' terminal
interactive() {
  timeout -k 5 $deadline expect -c '
    log_user 0; set timeout 30
    set stty_init "rows 40 cols 100"
    spawn {*}[split $env(PODMAN) " "] run --rm -it --network none box sh
    expect "# "; send "echo sum=\$((40+2))\r"
    expect "sum=42" { puts "answered" }
    send "stty size\r"; expect "40 100" { puts "sized" }
    send "exit 9\r"; expect eof
    exit [lindex [wait] 3]'
}
export PODMAN=$P
cell -s 9 'a person types into run -it' $'answered\nsized' interactive
detached_terminal() { p run -d -t --name tty --network none box sh -c 'test -t 0 && test -t 1 && echo terminal; sleep 100' >/dev/null && eventually logs_have tty terminal && echo yes; p rm -f -t 0 tty >/dev/null; }
cell 'run -d -t has a terminal' 'yes' detached_terminal

cell 'the default seccomp profile is on' 'Seccomp:	2' run box grep Seccomp: /proc/self/status
cell 'it denies swapoff' '.*Operation not permitted' run --cap-add sys_admin box sh -c 'swapoff /etc/passwd 2>&1; :'
cell 'seccomp=unconfined does not' $'.*Invalid argument\nSeccomp:	0' run --cap-add sys_admin --security-opt seccomp=unconfined box sh -c 'swapoff /etc/passwd 2>&1; grep Seccomp: /proc/self/status'
own_profile() {
  echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":19},
    {"names":["kill"],"action":"SCMP_ACT_ERRNO","errnoRet":11,"args":[{"index":1,"value":28,"op":"SCMP_CMP_EQ"}]}]}' >"$WORK/profile.json"
  run --security-opt "seccomp=$WORK/profile.json" box sh -c 'mkdir /new 2>&1; kill -28 1 2>&1; kill -0 1 && echo others work'
}
cell 'a seccomp profile of our own' $'.*No such device\n.*Resource temporarily unavailable\nothers work' own_profile
cell 'no_new_privs' 'NoNewPrivs:	1' run --security-opt no-new-privileges box grep NoNewPrivs /proc/self/status

cell '--memory' '67108864' run --memory 64m box cat "$memory"
out_of_memory() { p run --name eater --network none --memory 16m --memory-swap 16m box sh -c 'tail /dev/zero'; echo "status $?"; p inspect --format '{{.State.OOMKilled}}' eater; p rm eater >/dev/null; }
cell '--memory: beyond it is killed' $'status 137\n(true|false)' out_of_memory
if [ "$CGROUP" = 2 ]; then cell '--cpus' '50000 100000' run --cpus 0.5 box cat /sys/fs/cgroup/cpu.max
else cell '--cpus' $'50000\n100000' run --cpus 0.5 box cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us; fi
# On v2 a weight: older runtimes convert linearly (20), systemd and newer ones by the curve that keeps the default the default (59).
cell '--cpu-shares' '512|20|59' run --cpu-shares 512 box cat "$(limit cpu.shares cpu.weight)"
cell '--cpuset-cpus' 'Cpus_allowed_list:	1' run --cpuset-cpus 1 box grep Cpus_allowed_list /proc/self/status
cell '--pids-limit' '20' run --pids-limit 20 box cat "$pids"
fork_stopped() { run --pids-limit 8 box sh -c '(for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done) 2>&1 | head -1' 2>&1; :; }
cell '--pids-limit stops a fork' '.*(fork|Resource temporarily unavailable).*' fork_stopped
cell '--cgroup-parent' '.*/parent/.*' run --cgroupns host --cgroup-parent /parent box grep -m1 parent /proc/self/cgroup

cell '--read-only' $'touch: /file: Read-only file system' run --read-only box sh -c 'touch /file 2>&1; :'
cell '--read-only leaves /tmp and /run writable' 'yes' run --read-only box sh -c 'touch /tmp/a /run/a && echo yes'
cell '--user 1000:1000' '1000 1000' run --user 1000:1000 box sh -c 'echo $(id -u) $(id -g)'
cell '--user by name, with its groups' 'uid=1000\(app\) gid=1000\(app\) groups=.*2000\(extra\).*' run --user app box id
cell '--group-add' '.*3000.*' run --group-add 3000 --user app box id -G
cell 'an ordinary user has no capabilities' 'CapEff:	0000000000000000' run --user app box grep CapEff /proc/self/status
cell '--cap-drop=all' $'CapInh:	0+\nCapPrm:	0+\nCapEff:	0+\nCapBnd:	0+\nCapAmb:	0+' run --cap-drop=all box grep Cap /proc/self/status
cell '--cap-drop=all --cap-add' 'CapEff:	0000000000000401' run --cap-drop=all --cap-add=chown --cap-add=net_bind_service box grep CapEff /proc/self/status
cell '--tmpfs' '.* /scratch tmpfs .*size=1024k.*' run --tmpfs /scratch:size=1m,mode=1777 box grep ' /scratch ' /proc/mounts
cell '--tmpfs keeps what was there (tmpcopyup)' 'passwd' run --tmpfs /etc:rw,tmpcopyup box sh -c 'ls /etc | grep passwd'
mkdir -p "$WORK/shared"
volume() { echo from outside >"$WORK/shared/in"; run -v "$WORK/shared:/data" box sh -c 'cat /data/in; echo from inside >/data/out'; cat "$WORK/shared/out"; }
cell '-v' $'from outside\nfrom inside' volume
cell '-v :ro' '.*Read-only file system' run -v "$WORK/shared:/data:ro" box sh -c 'touch /data/x 2>&1; :'
cell '-v of a file' 'from outside' run -v "$WORK/shared/in:/etc/one" box cat /etc/one
cell '-v :rshared' '.*shared:.*' run -v "$WORK/shared:/data:rshared" box grep ' /data ' /proc/self/mountinfo
cell '--mount type=bind,ro' '.* /m .*ro,.*' run --mount "type=bind,src=$WORK/shared,dst=/m,ro" box grep ' /m ' /proc/mounts
named_volume() { p volume create keep >/dev/null; run -v keep:/k box sh -c 'echo kept >/k/f'; run -v keep:/k box cat /k/f; p volume rm keep >/dev/null; }
cell 'a named volume' 'kept' named_volume
cell '--uidmap' $' +0 +200000 +1000\n0' run --uidmap 0:200000:1000 --gidmap 0:200000:1000 box sh -c 'cat /proc/self/uid_map; id -u'
# --ipc none: no /dev/shm of podman's. With --uidmap, podman 4.3 starts conmon in a mount namespace of its own (for the sake of /sys/kernel); when conmon's
# clean-up is the first to unmount the shm, it does so in there only, and "rm" on the host fails with "userdata/shm: device or resource busy" whatever the runtime is.
outside_uid() { local pid; p run -d --name mapped --network none --ipc none --uidmap 0:200000:2000 --user 5 box sleep 100 >/dev/null && pid=$(p inspect --format '{{.State.Pid}}' mapped) && awk '/^Uid/ { print $2 }' "/proc/$pid/status"; p rm -f -t 0 mapped >/dev/null; }
cell '--uidmap seen from outside' '200005' outside_uid

cell '--hostname' 'box7' run --hostname box7 box hostname
cell '--env and --workdir' '/tmp one two' run -e VALUE='one two' -w /tmp box sh -c 'echo $PWD $VALUE'
cell '--entrypoint' 'from entrypoint' run --entrypoint '["/bin/echo","from"]' box entrypoint
cell '--ulimit' '512' run --ulimit nofile=512:512 --ulimit nproc=900:900 box sh -c 'ulimit -n'
cell '--sysctl' '3000' run --sysctl net.core.somaxconn=3000 box cat /proc/sys/net/core/somaxconn
cell '--shm-size' '.* /dev/shm .*size=2048k.*' run --shm-size 2m box grep ' /dev/shm ' /proc/mounts
cell '--device' 'c' run --device /dev/null:/dev/nothing box sh -c 'ls -l /dev/nothing | cut -c1'
cell 'devices are limited' '.*Operation not permitted' run --cap-add mknod box sh -c 'mknod /d b 7 0 && head -c1 /d 2>&1; :'
cell '--privileged' $'CapEff:	000001[0-9a-f]+\nSeccomp:	0' run --privileged box grep -E 'CapEff|Seccomp:' /proc/self/status
cell 'masked and read-only paths' $'0\n.*Read-only file system' run box sh -c 'wc -c </proc/keys; echo 1 2>&1 >/proc/sys/kernel/domainname || :' 
cell '--init' '.*(catatonit|init).*' run --init box sh -c 'cat /proc/1/cmdline | tr "\0" " "'
