# Cells of podman.sh and rootless.sh: the flags of `podman run` that podman-core.sh and podman-more.sh leave out.

mkdir -p "$WORK/shared"
echo from outside >"$WORK/shared/in"
cell '-v :Z' 'from outside' run -v "$WORK/shared:/data:Z" box cat /data/in
cell '-v :noexec,nosuid,nodev' '.*nosuid,nodev,noexec.*' run -v "$WORK/shared:/data:noexec,nosuid,nodev" box grep ' /data ' /proc/mounts
cell '-v :O keeps what is written' $'written\nnothing outside' eval 'run -v "$WORK/shared:/data:O" box sh -c "echo written >/data/o; cat /data/o"; [ -e "$WORK/shared/o" ] || echo nothing outside'
mkdir -m 777 -p "$WORK/peer"
propagation() { mountpoint -q "$WORK/peer" || { mount --bind "$WORK/peer" "$WORK/peer" && mount --make-shared "$WORK/peer" && mkdir "$WORK/peer/m"; }; }
carried_out() { propagation; run --privileged -v "$WORK/peer:/peer:rshared" box mount -t tmpfs made /peer/m && grep -o '^made' /proc/mounts; umount "$WORK/peer/m"; }
cell '-v :rshared carries a mount out' 'made' carried_out
let_in() { # let_in OPTION: is a mount made later outside seen inside?
  propagation
  p run -d --name "$1" --network none -v "$WORK/peer:/peer:$1" box sleep 100 >/dev/null || return
  mount -t tmpfs late "$WORK/peer/m"; p exec "$1" grep -c '^late' /proc/mounts; umount "$WORK/peer/m"; p rm -f -t 0 "$1" >/dev/null
}
cell '-v :rslave lets a mount in' '1' let_in rslave
cell '-v :rprivate does not' '0' let_in rprivate
cell '--mount type=tmpfs' '.* /m tmpfs .*size=1024k.*' run --mount type=tmpfs,dst=/m,tmpfs-size=1m box grep ' /m ' /proc/mounts
slave() { propagation; run --mount "type=bind,src=$WORK/peer,dst=/m,bind-propagation=rslave" box grep ' /m ' /proc/self/mountinfo; }
cell '--mount type=bind,bind-propagation' '.*master:.*' slave
cell '--mount type=devpts' '.* /m devpts .*' run --mount type=devpts,dst=/m box grep ' /m ' /proc/mounts
lender() { p create --name lender --network none -v "$WORK/shared:/lent" box true >/dev/null && run --volumes-from lender box cat /lent/in; p rm lender >/dev/null; }
cell '--volumes-from' 'from outside' lender
secret() { echo whispered | p secret create word - >/dev/null && run --secret word box cat /run/secrets/word; p secret rm word >/dev/null; }
cell '--secret' 'whispered' secret
cp -a "$WORK/rootfs" "$WORK/shared/rootfs"
[ -z "${user:-}" ] || chown -R "$user:$user" "$WORK/shared/rootfs"
cell '--rootfs' 'from a folder' p run --rm --network none --rootfs "$WORK/shared/rootfs" echo from a folder
cell '--rootfs :O' 'kept apart' eval 'p run --rm --network none --rootfs "$WORK/shared/rootfs:O" sh -c "echo kept apart >/made; cat /made"; ls "$WORK/shared/rootfs/made" 2>/dev/null; :'
cell '--read-only --read-only-tmpfs=false' '.*Read-only file system' run --read-only --read-only-tmpfs=false box sh -c 'touch /run/x 2>&1; :'
cell '--shm-size and --ipc private' "$((3 * 1024))" run --shm-size 3m --ipc private box sh -c 'df -k /dev/shm | awk "END { print \$2 }"'

cell '--security-opt mask' '0' run --security-opt mask=/home box sh -c 'ls -A /home | wc -l'
cell '--security-opt unmask=ALL' '0' run --security-opt unmask=ALL box sh -c 'grep -cE " /proc/(keys|sys|kcore) " /proc/mounts; :'
cell '--security-opt proc-opts' '.*hidepid=(1|2|noaccess|invisible).*' run --security-opt proc-opts=hidepid=2 box grep '^proc /proc ' /proc/mounts
cell '--security-opt label=disable, apparmor=unconfined' 'hello' run --security-opt label=disable --security-opt apparmor=unconfined box echo hello
cell '--cap-add=all' 'CapEff:	000001[0-9a-f]+' run --cap-add=all box grep CapEff /proc/self/status
cell '--cap-add for an ordinary user' $'CapEff:	0000000000000400\nCapAmb:	0000000000000400' run --user app --cap-drop all --cap-add net_bind_service box grep -E 'CapEff|CapAmb' /proc/self/status
cell '--privileged has the devices of the host' 'c c' run --privileged box sh -c 'echo $(ls -l /dev/full | cut -c1) $(ls -l /dev/fuse | cut -c1)'
cell '--privileged: /sys is writable' 'rw,.*' run --privileged box sh -c 'awk "\$2 == \"/sys\" { print \$4 }" /proc/mounts'
cell '--device with rights: reading only' $'read\n.*Operation not permitted' run --device /dev/fuse:/dev/f:r box sh -c ': </dev/f && echo read; exec 2>&1; (: >/dev/f)'\;:
cell '--device-cgroup-rule' 'opened' run --cap-add mknod --device-cgroup-rule 'c 10:229 rwm' box sh -c 'mknod /f c 10 229 && : <>/f && echo opened'
cell '--personality' 'i686' run --personality LINUX32 box uname -m
cell '--systemd always' '.* /run tmpfs .*' run --systemd always box grep ' /run ' /proc/mounts
cell '--hostuser and --passwd-entry' 'root:x:0:0:.*other:x:77:77::/:/bin/sh' run --user 77:77 --passwd-entry other:x:77:77::/:/bin/sh box sh -c 'echo $(cat /etc/passwd)'
cell '--group-add and --user with a group' '1000 2000 3000' run --user 1000:2000 --group-add 3000 box sh -c 'echo $(id -u) $(id -g) $(id -G | tr " " "\n" | grep 3000)'
cell '--ulimit of its own kind' $'4096\n64' run --ulimit stack=4194304:4194304 --ulimit nofile=64:64 --ulimit nproc=900:900 box sh -c 'ulimit -s; ulimit -n'
cell '--sysctl of ipc and net' $'1\n80' run --sysctl kernel.shm_rmid_forced=1 --sysctl net.ipv4.ip_unprivileged_port_start=80 box cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start
cell '--env-file and --unsetenv' $'value none\npodman' eval 'echo KEY=value >"$WORK/shared/env"; run --env-file "$WORK/shared/env" --unsetenv container box sh -c "echo \$KEY \${container:-none}"; run box sh -c "echo \$container"'
cell '--add-host and --dns' $'1.2.3.4\thost7\nnameserver 9.9.9.9' eval 'p run --rm --network private --add-host host7:1.2.3.4 --dns 9.9.9.9 box grep -hE "host7|nameserver" /etc/hosts /etc/resolv.conf'
cell '--annotation reaches the container' 'd' eval 'p create --name noted --annotation a.b/c=d box true >/dev/null; p inspect --format "{{index .Config.Annotations \"a.b/c\"}}" noted; p rm noted >/dev/null'
cell '--init reaps orphans' 'none left' run --init box sh -c '(sleep 0.2 & true) ; sleep 0.6; grep -l "^State:.Z" /proc/[0-9]*/status || echo none left'
files_of_ids() { local pid; p run -d --name filed --network none --cidfile "$WORK/shared/cid" --pidfile "$WORK/shared/pid" box sleep 100 >/dev/null; [ "$(p inspect --format '{{.Id}} {{.State.Pid}}' filed)" = "$(cat "$WORK/shared/cid" "$WORK/shared/pid" | tr '\n' ' ' | sed 's/\([0-9a-f]\{64\}\) */\1 /; s/ $//')" ] && echo both; p rm -f -t 0 filed >/dev/null; }
cell '--cidfile and --pidfile' 'both' files_of_ids
cell '--timeout' 'ended' eval 'p run --rm --network none --timeout 1 box sleep 50 >/dev/null 2>&1 || echo ended'
cell '--log-driver passthrough' 'straight' run --log-driver passthrough box echo straight
cell '--log-driver none' 'unlogged' run --log-driver none box echo unlogged
replaced() { p run -d --name same --network none box sleep 100 >/dev/null && p run -d --replace --stop-timeout 0 --name same --network none box sleep 101 >/dev/null && p inspect --format '{{.Config.Cmd}}' same; p rm -f -t 0 same >/dev/null; }
cell '--replace' '\[sleep 101\]' replaced
required() { p create --name first --network none box sleep 100 >/dev/null && p run --rm --requires first --network none box echo second && p inspect --format '{{.State.Status}}' first; p rm -f -t 0 first >/dev/null; }
cell '--requires' $'second\nrunning' required

cell '--memory-reservation' '33554432' run --memory-reservation 32m box cat "$(limit memory.soft_limit_in_bytes memory.low)"
cell '--cpuset-mems' 'Mems_allowed_list:	0' run --cpuset-mems 0 box grep Mems_allowed_list /proc/self/status
if [ "$CGROUP" = 1 ]; then
  cell '--memory-swappiness' '7' run --memory 64m --memory-swappiness 7 box cat /sys/fs/cgroup/memory/memory.swappiness
  cell '--oom-kill-disable' 'oom_kill_disable 1' run --memory 64m --oom-kill-disable box grep oom_kill_disable /sys/fs/cgroup/memory/memory.oom_control
  cell '--cpu-period, --cpu-quota' $'20000\n40000' run --cpu-period 20000 --cpu-quota 40000 box cat /sys/fs/cgroup/cpu/cpu.cfs_period_us /sys/fs/cgroup/cpu/cpu.cfs_quota_us
else
  cell '--cpu-period, --cpu-quota' '40000 20000' run --cpu-period 20000 --cpu-quota 40000 box cat /sys/fs/cgroup/cpu.max
  cell '--cgroup-conf' '50331648' run --cgroup-conf memory.high=50331648 box cat /sys/fs/cgroup/memory.high
fi
cell '--cgroups no-conmon' 'hello' run --cgroups no-conmon box echo hello

partner() { p run -d --name partner --network none --ipc shareable "$@" box sleep 100 >/dev/null; }
joined() { # joined KIND NAMESPACE: a container that joins this namespace of another is in it, and one that does not is not
  partner "${@:3}" && run "--$1" container:partner box readlink "/proc/self/ns/$2" >"$WORK/joined" && p exec partner readlink "/proc/self/ns/$2" | cmp - "$WORK/joined" && echo joined
  run "${@:3}" box readlink "/proc/self/ns/$2" | cmp -s - "$WORK/joined" || echo apart; p rm -f -t 0 partner >/dev/null
}
cell '--ipc container:' $'joined\napart' joined ipc ipc
cell '--uts container:' $'joined\napart' joined uts uts
cell '--cgroupns container:' $'joined\napart' joined cgroupns cgroup --cgroupns private
joined_user() { partner --uidmap 0:100:500 && run --userns container:partner box cat /proc/self/uid_map; p rm -f -t 0 partner >/dev/null; }
cell '--userns container:' ' +0 +100 +500' joined_user
joined_path() { ip netns add rig-cell && ip -n rig-cell link add rigd0 type veth peer name rigd1 && p run --rm --network ns:/run/netns/rig-cell box grep -o 'rigd0:' /proc/net/dev; ip netns del rig-cell; }
cell '--network ns:' 'rigd0:' joined_path
slirp() { # the host answers at 10.0.2.2
  timeout 30 busybox nc -ll -p 7070 -e /bin/echo answered >/dev/null 2>&1 & local server=$!
  p run --rm --network slirp4netns:allow_host_loopback=true box sh -c 'for i in 1 2 3 4 5; do nc -w 3 10.0.2.2 7070 </dev/null && break; sleep 0.5; done'
  kill $server
}
if [ "$(major podman --version)" -lt 6 ]; then cell '--network slirp4netns' 'answered' slirp; elif wanted '--network slirp4netns'; then report skip '--network slirp4netns' 'podman 6 has it no more'; fi
published() {
  p run -d --name web --network bridge -p 127.0.0.1:7171:80 box sh -c 'while :; do echo served | nc -l -p 80; done' >/dev/null || return
  for _ in $(seq 20); do busybox nc -w 2 127.0.0.1 7171 </dev/null && break; sleep 0.5; done; p rm -f -t 0 web >/dev/null
}
cell '--network bridge -p: a published port' 'served' published
told() { # the container says systemd's way that it is ready; the word must arrive at podman's NOTIFY_SOCKET
  python3 - "$WORK/shared/notify" <<'PY' >"$WORK/told" 2>&1 &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o777); s.settimeout(20)
try:
    while 'READY=1' not in (text := s.recv(4096).decode()).split('\n'): pass
    print('ready')
except TimeoutError: print('nothing arrived')
PY
  local listener=$!; eventually test -S "$WORK/shared/notify"
  NOTIFY_SOCKET=$WORK/shared/notify p run -d --name teller --sdnotify container --network none -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro box \
    python3 -c 'import os, socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"]); time.sleep(100)' >/dev/null
  wait $listener; cat "$WORK/told"; p rm -f -t 0 teller >/dev/null; rm "$WORK/shared/notify"
}
cell '--sdnotify container' 'ready' told
! mountpoint -q "$WORK/peer" || umount "$WORK/peer"
hooked() {
  mkdir -p "$WORK/hooks"; printf '#!/bin/sh\ncat >/dev/null; echo "$1" >>%s/hooked\n' "$WORK/shared" >"$WORK/hooks/hook"; chmod 755 "$WORK/hooks/hook"; : >"$WORK/shared/hooked"; chmod 666 "$WORK/shared/hooked"
  for stage in createRuntime poststop; do printf '{"version":"1.0.0","hook":{"path":"%s","args":["hook","%s"]},"when":{"always":true},"stages":["%s"]}' "$WORK/hooks/hook" "$stage" "$stage" >"$WORK/hooks/$stage.json"; done
  (cd / && $P --hooks-dir "$WORK/hooks" run --rm ${ULIMIT_HOST:-} --network none box true); cat "$WORK/shared/hooked"
}
cell '--hooks-dir' $'createRuntime\npoststop' hooked
