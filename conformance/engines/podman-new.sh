# Cells of podman.sh about what podman 5 and 6 brought. What this podman does not know is reported as skipped.

knows() { p "$1" --help | grep -q -- "$2"; } # knows VERB FLAG
# asked VERB FLAG NAME WANT COMMAND...: a cell, where the verb has the flag
asked() {
  local verb=$1 flag=$2
  shift 2
  if knows "$verb" "$flag"; then cell "$@"; elif wanted "$1"; then report skip "$1" "this podman does not know $flag"; fi
}
mkdir -p "$WORK/new" && chmod 755 "$WORK/new" && echo from outside >"$WORK/new/in" && ln -sfn in "$WORK/new/link"

descriptors() { run --preserve-fd 5,8 box sh -c 'cat <&5; cat <&8; ls /proc/self/fd | tr "\n" " "' 5<<<five 8<<<eight; }
asked run '--preserve-fd ' '--preserve-fd: those and no others' $'five\neight\n0 1 2 3 5 8 ' descriptors
image_mount() { run --mount type=image,src=box,dst=/img box sh -c 'ls -d /img/etc; touch /img/new 2>&1'; run --mount type=image,src=box,dst=/img,rw=true box sh -c 'touch /img/new && echo written'; }
cell '--mount type=image' $'/img/etc\n.*Read-only file system\nwritten' image_mount
[ "$(major podman --version)" -lt 5 ] || {
  cell '--mount type=image,subpath' $'group\npasswd' run --mount type=image,src=box,dst=/img,subpath=/etc box ls /img
  cell '--mount no-dereference: a link stays one' 'in' run --mount "type=bind,src=$WORK/new/link,dst=/l,no-dereference" box readlink /l
  cell '--mount type=glob' 'in' run --mount "type=glob,src=$WORK/new/i*,dst=/g" box ls /g
}
mapped_volume() { run --uidmap 0:200000:70000 --gidmap 0:200000:70000 -v "$WORK/new:/d:idmap" box sh -c 'stat -c %u /d/in; touch /d/mine; stat -c %u /d/mine'; stat -c %u "$WORK/new/mine"; rm -f "$WORK/new/mine"; }
cell '-v :idmap' $'0\n0\n0' mapped_volume
mapped_other() { run --uidmap 0:200000:70000 --gidmap 0:200000:70000 -v "$WORK/new:/d:idmap=uids=0-1000-1;gids=0-1000-1" box stat -c '%u %g' /d/in; }
cell '-v :idmap with ranges' '(1000 1000|65534 65534)' mapped_other

if any_wanted 'update --env' 'update --restart' 'exec --no-session' 'exec -i --no-session'; then
  p run -d --name renewed --network none --env A=1 box sleep 1000 >/dev/null
  given_env() { p update --env B=two renewed >/dev/null && p restart -t 0 renewed >/dev/null && p exec renewed sh -c 'echo $A $B'; }
  asked update '--env ' 'update --env' '1 two' given_env
  given_restart() { p update --restart on-failure:3 renewed >/dev/null && p inspect renewed --format '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}'; }
  asked update '--restart ' 'update --restart' 'on-failure 3' given_restart
  without_session() { p exec --no-session renewed sh -c 'echo in; exit 3'; echo "status $?"; }
  asked exec --no-session 'exec --no-session' $'in\nstatus 3' without_session
  typed_in() { echo typed | p exec -i --no-session renewed cat; }
  asked exec --no-session 'exec -i --no-session' 'typed' typed_in
  p rm -f -t 0 renewed >/dev/null
fi
unhealthy() { p run -d --name ill --network none --health-cmd false --health-retries 1 --health-interval disable --health-on-failure kill box sleep 1000 >/dev/null; p healthcheck run ill >/dev/null 2>&1; p wait ill; p rm -f -t 0 ill >/dev/null; }
asked run --health-on-failure '--health-on-failure kill' '137' unhealthy

# Without resctrl a class of it cannot be given, and nobody is to believe that it was.
classless() { run --rdt-class rig box echo ran 2>&1 | grep -oE 'ran|resctrl|RDT' | head -n 1; }
if [ -d /sys/fs/resctrl/info ]; then wanted --rdt-class && report skip '--rdt-class where there is no resctrl' 'there is one'; else asked run --rdt-class '--rdt-class where there is no resctrl' 'resctrl|RDT' classless; fi
echo an artifact >"$WORK/new/artifact.txt"
if ! p artifact ls >/dev/null 2>&1; then ! wanted '--mount type=artifact' || report skip '--mount type=artifact' 'this podman has no artifacts'
else
  p artifact add localhost/art:1 "$WORK/new/artifact.txt" "$WORK/new/in" >/dev/null
  artifact() { run --mount type=artifact,src=localhost/art:1,dst=/art box sh -c 'cat /art/artifact.txt /art/in; touch /art/artifact.txt 2>&1; echo x 2>&1 >/art/in'; }
  cell -s 1 '--mount type=artifact' $'an artifact\nfrom outside\n.*Read-only file system\n.*Read-only file system' artifact
  cell '--mount type=artifact,title: one file of it' 'from outside' run --mount type=artifact,src=localhost/art:1,dst=/one,title=in box cat /one
fi

# Kubernetes' hostUsers: false, and podman's flag for the same.
kube_mapped() { # kube_mapped SPEC-LINE FLAG...
  local spec=$1; shift
  echo containers:400000:131072 >"$WORK/ids" && for f in subuid subgid; do mount --bind "$WORK/ids" /etc/$f; done
  printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: mapped}\nspec:\n  terminationGracePeriodSeconds: 0\n%s  containers:\n  - name: one\n    image: localhost/box\n    command: [sleep, "1000"]\n    volumeMounts: [{name: v, mountPath: /v}]\n  volumes: [{name: v, hostPath: {path: %s}}]\n' "$spec" "$WORK/new" >"$WORK/mapped.yaml"
  p play kube --network none "$@" "$WORK/mapped.yaml" >/dev/null && p exec mapped-one sh -c 'awk "{ print \$1, (\$2 > 0) }" /proc/self/uid_map; stat -c %u /v/in; readlink /proc/self/ns/user' >"$WORK/said" && head -n 2 "$WORK/said" && ! grep -qF "$(readlink /proc/self/ns/user)" "$WORK/said" && echo apart
  p play kube --down "$WORK/mapped.yaml" >/dev/null; umount /etc/subuid /etc/subgid
}
cell 'play kube: hostUsers: false' $'0 1\n65534\napart' kube_mapped $'  hostUsers: false\n'
cell 'play kube --userns auto' $'0 1\n65534\napart' kube_mapped '' --userns auto:size=3000

if any_wanted 'update --device-read-bps' 'update --device-write-iops'; then
  disk=$(lsblk -dpno NAME,TYPE 2>/dev/null | awk '$2 == "disk" || $2 == "loop" { print $1; exit }')
  p run -d --name limited --network none box sleep 1000 >/dev/null
  slower() { # slower FLAG V1-FILE V2-WORD
    p update "--$1" "$disk:65536" limited >/dev/null && if [ "$CGROUP" = 2 ]; then p exec limited cat /sys/fs/cgroup/io.max; else p exec limited cat "/sys/fs/cgroup/blkio/$2"; fi | grep -oE "(^[0-9:]+ |$3=)65536"
  }
  if [ -z "$disk" ]; then report skip 'update --device-read-bps' 'there is no disk'; else
    asked update --device-read-bps 'update --device-read-bps' '.*65536' slower device-read-bps blkio.throttle.read_bps_device rbps
    asked update --device-write-iops 'update --device-write-iops' '.*65536' slower device-write-iops blkio.throttle.write_iops_device wiops
  fi
  p rm -f -t 0 limited >/dev/null
fi

# A real systemd as the container's first process: this machine's files below an overlay. systemd 258 and later want cgroup v2.
if any_wanted 'systemd is the first process' 'systemd stops when it is told'; then
  with_systemd() {
    mkdir -p "$WORK/machine" && mount --bind / "$WORK/machine" || return
    p run -d --name machine --network none --systemd=always --rootfs "$WORK/machine:O" /lib/systemd/systemd systemd.show_status=false systemd.unit=basic.target >/dev/null || return
    patience=$((10 * patience)) eventually up || echo "not up: $(p exec machine systemctl is-system-running)"
    p exec machine cat /proc/1/comm && p exec machine systemd-run --wait -q --pipe echo from a unit
  }
  up() { p exec machine systemctl is-system-running | grep -qE 'running|degraded'; }
  told() { p stop -t 30 machine >/dev/null && p inspect machine --format '{{.State.ExitCode}}'; p rm -f -t 0 machine >/dev/null; umount -l "$WORK/machine"; }
  if [ "$CGROUP" = 1 ] || [ ! -x /lib/systemd/systemd ]; then
    report skip 'systemd is the first process' 'systemd wants cgroup v2'
  else
    cell 'systemd is the first process' $'systemd\nfrom a unit' with_systemd
    cell 'systemd stops when it is told' '(0|130)' told
  fi
fi

# What no other runtime does.
case $VERSION in tsrun*)
  mkdir -m 700 /run/tsrun-recorded # which lets annotations record; /run is this suite's own
  profile=/run/tsrun-recorded/recorded.json
  recorded() {
    p run -d --name recorded --network none --security-opt seccomp=unconfined --annotation io.tsrun.record-seccomp="$profile" box \
      sh -c 'mkdir /tmp/made && rmdir /tmp/made && touch /tmp/done; exec sleep 1000' >/dev/null || return
    eventually p exec recorded test -e /tmp/done && p exec recorded ln -s a /tmp/link && [ ! -e "$profile" ] && p rm -f -t 0 recorded >/dev/null
    grep -oE '"(mkdir|symlink)"' "$profile"
  }
  cell 'io.tsrun.record-seccomp: execs are in the profile' $'"mkdir"\n"symlink"' recorded
  merged() {
    run --security-opt seccomp=unconfined --annotation io.tsrun.record-seccomp="$profile" --annotation io.tsrun.record-seccomp.merge="$profile" box mv /etc/group /etc/moved
    grep -oE '"(mkdir|rename|symlink)"' "$profile"
  }
  cell 'io.tsrun.record-seccomp.merge' $'"mkdir"\n"rename"\n"symlink"' merged
  under_it() { run --security-opt seccomp="$profile" box sh -c 'mkdir /tmp/made && echo ran; truncate -s 1 /tmp/file' 2>&1; }
  cell -s 1 '--security-opt seccomp=FILE with what was recorded' $'ran\n.*Function not implemented' under_it
  with_profile() { run --annotation io.tsrun.record-seccomp=/run/tsrun-recorded/none.json box true 2>&1; ls /run/tsrun-recorded/none.json; }
  cell -s 2 "io.tsrun.record-seccomp beside podman's own profile is refused" '.*cannot be recorded under a seccomp profile.*' with_profile
  elsewhere() { run --security-opt seccomp=unconfined --annotation io.tsrun.record-seccomp=/etc/tsrun-none.json box true 2>&1; ls /etc/tsrun-none.json; }
  cell -s 2 'io.tsrun.record-seccomp names no other file of the host' ".*an annotation may name a file in '/run/tsrun-recorded' only.*" elsewhere
  rm -rf /run/tsrun-recorded
  ;;
esac
