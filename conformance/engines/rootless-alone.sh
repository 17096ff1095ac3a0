#!/usr/bin/env bash
# tsrun for an ordinary user, by itself; rootless.sh has rootless podman. RUNTIME=/path/to/runtime bash conformance/engines/rootless-alone.sh
# Needs root (for a private /etc with such a user in it), newuidmap, busybox-static, python3. Nothing on the host is changed.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
engine_main "$@"
set -u

# A user with ranges of ids, known in this mount namespace only.
uid=4242
mkdir "$WORK/etc"
for file in passwd group subuid subgid; do
  cp "/etc/$file" "$WORK/etc/$file"
  mount --bind "$WORK/etc/$file" "/etc/$file"
done
echo "person:x:$uid:$uid:person:$HOME:/bin/sh" >>/etc/passwd
echo "person:x:$uid:" >>/etc/group
for file in subuid subgid; do echo "person:500000:65536" >>/etc/$file; done
mounts_before=$(mounts)
mkdir -m 700 "$WORK/run"
make_rootfs "$WORK/bundle/rootfs"
chown -R $uid:$uid "$WORK/run" "$WORK/bundle" "$HOME"
person() { setpriv --reuid $uid --regid $uid --init-groups env -i "PATH=$PATH" "HOME=$HOME" "XDG_RUNTIME_DIR=$WORK/run" TERM=dumb USER=person "TMPDIR=$TMPDIR" "$@"; }
rt() { (cd "$WORK/bundle" && person timeout -k 5 30 "$RUNTIME" "$@"); }

bundle() { # bundle COMMAND [PYTHON]: the rootless config with this command and these changes of c
  rt spec --rootless 2>/dev/null || { rm -f "$WORK/bundle/config.json"; rt spec --rootless; } || return
  python3 - "$WORK/bundle/config.json" "$1" "${2:-}" <<'PY'
import json, sys
path, command, change = sys.argv[1:]
with open(path) as file: c = json.load(file)
c['process'].update(terminal=False, args=['sh', '-c', command])
c['root']['readonly'] = False
exec(change)
with open(path, 'w') as file: json.dump(c, file)
PY
}
ranges="for kind in ('uidMappings', 'gidMappings'): c['linux'][kind] = [{'containerID': 0, 'hostID': $uid, 'size': 1}, {'containerID': 1, 'hostID': 500000, 'size': 65536}]"

bundle 'id -u; id -g; awk "{ print \$1, \$2, \$3 }" /proc/self/uid_map'
cell 'spec --rootless, run: root inside, nobody special outside' $'0\n0\n0 4242 1' rt run one
bundle 'touch /made && stat -c %u /made'
cell 'a file it makes belongs to the user' $'0\n4242' eval 'rt run one; stat -c %u "$WORK/bundle/rootfs/made"'
bundle 'exit 7'
cell -s 7 'the status passes through' '' rt run one
bundle 'tail -1 /proc/self/uid_map | awk "{ print \$1, \$2, \$3 }"; id -G' "$ranges; c['process']['user']['additionalGids'] = [5, 6]"
cell 'ranges through newuidmap, and supplementary groups' $'1 500000 65536\n(0 )?5 6' rt run one
bundle 'true' "c['process']['user']['additionalGids'] = [5]"
cell 'groups without a range are refused in words' '.*cannot set any additional groups in a rootless container.*' eval 'rt run one 2>&1; :'
bundle 'sleep 1000' "$ranges"
lifecycle() {
  rt create one </dev/null >/dev/null 2>"$WORK/err" || { cat "$WORK/err"; return 1; }
  status; rt start one && status; rt kill one KILL; eventually stopped; status; rt delete one; ls "$WORK/run/$NAME"
}
status() { rt state one | sed -n 's/.*"status": "\(.*\)".*/\1/p'; }
stopped() { [ "$(status)" = stopped ]; }
cell 'create, start, kill, delete, below XDG_RUNTIME_DIR' $'created\nrunning\nstopped' lifecycle
cell 'delete -f of a running one' '' eval 'rt create one </dev/null >/dev/null && rt start one && rt delete -f one && ls "$WORK/run/$NAME"'
cell 'exec into a created one' $'0\ncreated' eval 'rt create one </dev/null >/dev/null && rt exec one id -u && status; rt delete -f one'
cell 'list shows whose it is' '.*person.*' eval 'rt create one </dev/null >/dev/null; rt list | tail -1; rt delete -f one'
# A seccomp agent of the user's: says who asks, and lets every mkdir fail with ENOSPC.
cat >"$WORK/agent.py" <<'PY'
import fcntl, json, os, socket, struct, sys, threading
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print(os.getpid(), file=open(sys.argv[1] + '.pid', 'w'))
def answer(fd):
    while True:
        request = bytearray(80)
        try:
            fcntl.ioctl(fd, 0xC0502100, request)  # SECCOMP_IOCTL_NOTIF_RECV
            number = struct.unpack_from('Q', request)[0]
            fcntl.ioctl(fd, 0xC0182101, struct.pack('QqiI', number, 0, -28, 0))  # SECCOMP_IOCTL_NOTIF_SEND
        except OSError:  # the filter's last process is gone
            return
while True:
    connection = server.accept()[0]
    text, fds = socket.recv_fds(connection, 65536, 4)[:2]
    if fds:
        threading.Thread(target=answer, args=fds, daemon=True).start()
        print(json.loads(text)['state']['status'], json.loads(text)['metadata'], flush=True)
PY
agent() { # agent COMMAND...: with an agent that listens; what it has said comes last
  person python3 "$WORK/agent.py" "$WORK/run/agent" >"$WORK/agent.out" 2>"$WORK/agent.errors" & # where bash, too, says that it was terminated
  eventually test -s "$WORK/run/agent.pid"
  "$@"
  kill "$(cat "$WORK/run/agent.pid")"; rm -f "$WORK/run/agent"*; cat "$WORK/agent.out"
}
asking() {
  rt create one </dev/null >/dev/null && rt start one
  rt exec one sh -c 'mkdir /made-by-exec; echo $?' 2>&1
  rt delete -f one
}
profile="c['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'listenerPath': '$WORK/run/agent', 'listenerMetadata': 'mine',
  'syscalls': [{'names': ['mkdir', 'mkdirat'], 'action': 'SCMP_ACT_NOTIFY'}]}"
bundle 'sleep 1000' "$profile"
cell 'exec with a seccomp agent: it answers for the process' $'.*No space left on device\n1\ncreating mine\nrunning mine' agent asking

bundle true
if [ "$NAME" = tsrun ]; then
  cell '--debug says that cgroups are out of reach' '.*cgroup.*' eval 'rt --debug run one 2>&1 | grep -c "no cgroup" | sed "s/^[1-9].*/cgroup/"'
fi
bundle true "c['linux']['resources'] = {'memory': {'limit': 67108864}}"
cell -s 1 'a limit that cannot be given is an error' '' rt run one
cell 'in words that engines know' '.*rootless needs no limits.*' eval 'rt run one 2>&1; :'

# A host whose mounts are all nosuid has no newuidmap that may do anything; the user's own id needs none.
nosuid() {
  (cd "$WORK/bundle" && unshare --mount bash -c 'awk "{ print \$5 }" /proc/self/mountinfo | while read -r m; do mount -o remount,bind,nosuid "$m"; done 2>/dev/null; exec "$@"' bash \
    setpriv --reuid $uid --regid $uid --init-groups env -i "PATH=$PATH" "HOME=$HOME" "XDG_RUNTIME_DIR=$WORK/run" timeout -k 5 30 "$RUNTIME" "$@")
}
bundle 'tail -n 1 /proc/self/uid_map | tr -s " "' "for kind in ('uidMappings', 'gidMappings'): c['linux'][kind] = [{'containerID': 0, 'hostID': $uid, 'size': 1}]"
cell 'all mounts nosuid: the own id' " 0 $uid 1" nosuid run one
bundle true "$ranges"
cell 'all mounts nosuid: ranges are refused in words' '.*Operation not permitted.*' eval 'nosuid run one 2>&1 | grep -E "new[ug]idmap.*Operation not permitted" | head -n 1'
if [ "$NAME" = tsrun ]; then cell 'and it is said what newuidmap lacks' 'nosuid' eval 'nosuid run one 2>&1 | grep -o "nosuid"'; fi

engine_end
