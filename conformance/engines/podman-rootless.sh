#!/usr/bin/env bash
# tsrun for an ordinary user: by itself, then under rootless podman. RUNTIME=/path/to/runtime bash conformance/engines/podman-rootless.sh
# Needs root (for a private /etc with such a user in it), podman, conmon, newuidmap, busybox-static, python3. Nothing on the host is changed.
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
person() { setpriv --reuid $uid --regid $uid --init-groups env -i "PATH=$PATH" "HOME=$HOME" "XDG_RUNTIME_DIR=$WORK/run" TERM=dumb USER=person "TMPDIR=$TMPDIR" ${CONTAINERS_CONF:+CONTAINERS_CONF=$CONTAINERS_CONF} "$@"; }
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
bundle true
if [ "$NAME" = tsrun ]; then
  cell '--debug says that cgroups are out of reach' '.*cgroup.*' eval 'rt --debug run one 2>&1 | grep -c "no cgroup" | sed "s/^[1-9].*/cgroup/"'
fi
bundle true "c['linux']['resources'] = {'memory': {'limit': 67108864}}"
cell -s 1 'a limit that cannot be given is an error' '' rt run one
cell 'in words that engines know' '.*rootless needs no limits.*' eval 'rt run one 2>&1; :'

mkdir -p "$WORK/conf"
cat >"$WORK/conf/containers.conf" <<CONF
[containers]
default_ulimits = []
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "$RUNTIME"
runtime_supports_json = ["crun", "runc", "$NAME"]
runtime_supports_nocgroup = ["crun", "$NAME"]
CONF
chmod -R a+rX "$WORK/conf"
export CONTAINERS_CONF=$WORK/conf/containers.conf
mkdir -m 700 "$WORK/storage" && chown $uid:$uid "$WORK/storage"
p() { (cd / && person timeout --foreground -k 5 60 podman --root "$WORK/storage/root" --runroot "$WORK/storage/run" --tmpdir "$WORK/storage/tmp" --storage-driver vfs --runtime "$RUNTIME" "$@"); }
run() { p run --rm --ulimit host --network none "$@"; }
end_pause() { local pid; pid=$(cat "$WORK/storage/tmp/pause.pid" "$WORK/run/libpod/tmp/pause.pid" 2>/dev/null | head -1); [ -z "$pid" ] || kill -KILL "$pid"; }
engine_rest() { p rm -fa -t 0 >/dev/null 2>&1; end_pause 2>/dev/null; }
engine_stop() { engine_rest; engine_remove; }

if ! tar -C "$WORK/bundle/rootfs" --exclude ./made --exclude ./five --numeric-owner --owner 0 --group 0 -cf - . | p import - box >"$WORK/err" 2>&1; then
  sed 's/^/# /' "$WORK/err"
  skip 'rootless podman' 'podman cannot import an image here'
  engine_end
fi
cell 'podman run' 'hello' run box echo hello
cell -s 42 'podman run: the status passes through' '' run box sh -c 'exit 42'
cell -s 127 'podman run: a program that is not there' '' run box /bin/no-such-program
cell -s 126 'podman run: a file that is no program' '' run box /bin/plain
cell 'podman run --user' '1000' run --user 1000 box id -u
cell 'podman run: the whole range is mapped' $'0 4242 1\n1 500000 65536' run box awk '{ print $1, $2, $3 }' /proc/self/uid_map
cell 'podman run --userns keep-id' '4242' run --userns keep-id box id -u
cell 'podman run -v: files of the user are root'"'"'s inside' '0' eval 'run -v "$WORK/bundle:/bundle:ro" box stat -c %u /bundle/config.json'
cell 'podman run --read-only --tmpfs' 'ok' run --read-only --tmpfs /tmp box sh -c 'touch /tmp/x && ! touch /x 2>/dev/null && echo ok'
export -f person p run
export uid WORK RUNTIME
terminal() { on_terminal "bash -c 'run -it box sh -c \"tty; stty size\"'"; }
cell 'podman run -it' $'/dev/pts/0\n40 100' terminal
stopped_podman() {
  p run -d --name stopper --ulimit host --network none box sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null || return
  eventually logs_have stopper ready || return
  p stop -t 10 stopper >/dev/null || return
  p inspect --format '{{.State.Status}} {{.State.ExitCode}}' stopper; p rm stopper >/dev/null
}
logs_have() { p logs "$1" 2>&1 | grep -q "$2"; }
cell 'podman stop' 'exited 7' stopped_podman
killed() { p run -d --name victim --ulimit host --network none box sleep 100 >/dev/null && p kill -s KILL victim >/dev/null && p wait victim; p rm victim >/dev/null; }
cell 'podman kill' '137' killed
executed() { p run -d --name host --ulimit host --network none box sleep 100 >/dev/null && p exec host sh -c 'id -u; echo inside' && p exec -u 1000 host id -u; p rm -f -t 0 host >/dev/null; }
if "$RUNTIME" exec --help >/dev/null 2>&1; then cell 'podman exec' $'0\ninside\n1000' executed; else skip 'podman exec' 'this build has no exec'; fi
cell 'podman rm -f' '' eval 'p run -d --name gone --ulimit host --network none box sleep 100 >/dev/null && p rm -f -t 0 gone >/dev/null && p ps -aq'
engine_end
