# Cells of podman.sh beyond create, start, kill and delete: exec, pause, update, pods, health checks, more flags of run.

p run -d --name worker --network none box sh -c 'trap "exit 0" TERM; echo ready; while :; do sleep 0.2; done' >/dev/null
eventually logs_have worker ready
cell 'exec prints' 'hello' p exec worker echo hello
cell -s 7 'exec: the exit status comes back' '' p exec worker sh -c 'exit 7'
cell -s 127 'exec of a program that is not there: 127' '' p exec worker /bin/no-such-program
cell -s 126 'exec of a file that is no program: 126' '' p exec worker /bin/plain
exec_stdin() { echo data | p exec -i worker cat; }
cell 'exec -i' 'data' exec_stdin
exec_terminal() { on_terminal "$P exec -it worker sh -c 'tty; stty size'"; }
cell 'exec -it under a pty' $'/dev/pts/[0-9]+\n40 100' exec_terminal
cell 'exec -u -w -e' '1000 /tmp value' p exec -u app -w /tmp -e KEY=value worker sh -c 'echo $(id -u) $PWD $KEY'
exec_detached() { p exec -d worker sh -c 'echo made >/tmp/made; sleep 50' >/dev/null; eventually p exec worker test -e /tmp/made && p exec worker cat /tmp/made; }
cell 'exec -d' 'made' exec_detached
cell 'exec --privileged' 'CapEff:	000001[0-9a-f]+' p exec --privileged worker grep CapEff /proc/self/status
cell 'exec has the capabilities of the container' 'CapEff:	00000000[0-9a-f]+' p exec worker grep CapEff /proc/self/status
cell 'exec has the profile' 'Seccomp:	2' p exec worker grep Seccomp: /proc/self/status
exec_cgroup() { p exec worker cat /proc/self/cgroup | sort >"$WORK/exec"; p exec worker cat /proc/1/cgroup | sort | cmp - "$WORK/exec" && echo same; }
cell 'exec is in the cgroups of the container' 'same' exec_cgroup
exec_killed() { p exec -d worker sleep 500 >/dev/null; p kill -s KILL worker >/dev/null; eventually test -z "$(pgrep -fx 'sleep 500')" && p start worker >/dev/null && echo started; }
cell 'the container dies, and what runs in it' 'started' exec_killed
attached() { p run -d --name speaker --network none box sh -c 'sleep 1; echo spoken; exit 4' >/dev/null; p attach speaker | grep .; p wait speaker; p rm speaker >/dev/null; }
cell 'attach' $'spoken\n4' attached
top_rows() { p top worker | tail -n +2 | grep -c .; }
cell 'top' '[1-9]' top_rows
cell 'stats' 'worker [0-9.]+[kKMG]*i?B.*' p stats --no-stream --format '{{.Name}} {{.MemUsage}}' worker
paused() { p pause worker >/dev/null && p inspect --format '{{.State.Status}}' worker; freezer worker; p exec worker true 2>/dev/null || echo refused; p unpause worker >/dev/null && p exec worker echo awake; }
cell 'pause, unpause' $'paused\nfrozen\nrefused\nawake' paused
restarted() { p restart -t 1 worker >/dev/null && p exec worker echo again; }
cell 'restart' 'again' restarted
copied() { echo copied >"$WORK/file"; p cp "$WORK/file" worker:/copied && p exec worker cat /copied; }
cell 'cp' 'copied' copied
differs() { p diff worker | grep -x 'A /copied' && p commit -q worker box2 >/dev/null && run box2 cat /copied; }
cell 'diff and commit' $'A /copied\ncopied' differs
cell '--network container:' '.*lo.*' p run --rm --network container:worker box cat /proc/net/dev
cell '--pid container:' '.*trap.*' run --pid container:worker box sh -c 'tr "\0" " " </proc/1/cmdline'
p rm -f -t 0 worker >/dev/null

namespace() { readlink "/proc/self/ns/$1" | sed 's/[][]/\\&/g'; }
cell '--network host' "$(namespace net)" p run --rm --network host box readlink /proc/self/ns/net
cell '--pid host' "$(namespace pid)" run --pid host box readlink /proc/self/ns/pid
cell '--ipc host' "$(namespace ipc)" run --ipc host box readlink /proc/self/ns/ipc
cell '--uts host' "$(namespace uts)" run --uts host box readlink /proc/self/ns/uts
cell '--cgroupns host' "$(namespace cgroup)" run --cgroupns host box readlink /proc/self/ns/cgroup
cell '--cgroupns private' '.*:/' run --cgroupns private box grep -m1 -E ':(memory)?:' /proc/self/cgroup
cell '--cgroups disabled' 'hello' run --cgroups disabled box echo hello
cell '--security-opt unmask' '.*[^0].*' run --security-opt unmask=/proc/keys box sh -c 'wc -c </proc/keys'
cell '--annotation' 'hello' run --annotation a.b/c=d box echo hello
cell '--memory-swap' '134217728|67108864' run --memory 64m --memory-swap 128m box cat "$(limit memory.memsw.limit_in_bytes memory.swap.max)"
cell '--oom-score-adj' '500' run --oom-score-adj 500 box cat /proc/self/oom_score_adj
cell '--umask' '0077' run --umask 077 box sh -c umask
cell '--timezone and --dns options are files only' 'hello' run --tz UTC box echo hello
preserved() { exec 3<<<'from fd 3'; run --preserve-fds 1 box sh -c 'cat <&3'; }
cell '--preserve-fds' 'from fd 3' preserved
stop_signal() { p run -d --name odd --stop-signal USR1 --network none box sh -c 'trap "exit 10" USR1; echo ready; while :; do sleep 0.1; done' >/dev/null && eventually logs_have odd ready || return; p stop -t 5 odd >/dev/null; p inspect --format '{{.State.ExitCode}}' odd; p rm odd >/dev/null; }
cell '--stop-signal' '10' stop_signal
healthy() { p run -d --name h1 --network none --health-cmd 'test -e /etc/passwd' --health-interval disable box sleep 100 >/dev/null; p healthcheck run h1 >/dev/null; echo "status $?"; p inspect --format '{{.State.Healthcheck.Status}}' h1; p rm -f -t 0 h1 >/dev/null; }
cell 'a healthcheck' $'status 0\nhealthy' healthy
failing() { p run -d --name again --network none --restart on-failure:2 box sh -c 'exit 3' >/dev/null; sleep 2; eventually restarts_are 2 && echo twice; p rm -f -t 0 again >/dev/null; }
restarts_are() { [ "$(p inspect --format '{{.RestartCount}}' again)" = "$1" ]; }
cell '--restart on-failure' 'twice' failing
subscribed() { # the container tells systemd's way that it is ready; `run -d` returns only then
  p run -d --name notifier --sdnotify conmon --network none box sleep 100 >/dev/null && p inspect --format '{{.State.Status}}' notifier; p rm -f -t 0 notifier >/dev/null
}
cell '--sdnotify conmon' 'running' subscribed

catatonit=$(command -v catatonit || ls /usr/libexec/podman/catatonit 2>/dev/null)
pods() { # without an infra image: the first container lends its namespaces
  p pod create --name pod --infra=false >/dev/null && p run -d --pod pod --name a --network none box sleep 100 >/dev/null && p pod ps --format '{{.Name}} {{.Status}} {{.NumberOfContainers}}'; p pod rm -f -t 0 pod >/dev/null
}
cell 'a pod' 'pod Running 1' pods
infra() {
  p pod create --name shared --infra --infra-image localhost/box --infra-command 'sleep 1000' --network none >/dev/null || return
  p run -d --pod shared --name b box sleep 100 >/dev/null && p run -d --pod shared --name c box sleep 100 >/dev/null || return
  [ "$(p exec b readlink /proc/self/ns/net)" = "$(p exec c readlink /proc/self/ns/net)" ] && echo one network; p pod rm -f -t 0 shared >/dev/null
}
cell 'a pod that shares an infra container' 'one network' infra

auto() { echo containers:400000:65536 >"$WORK/ids"; for f in subuid subgid; do mount --bind "$WORK/ids" /etc/$f; done; run --userns auto:size=1000 box cat /proc/self/uid_map; umount /etc/subuid /etc/subgid; }
cell '--userns auto, with the ids of containers' ' +0 +400000 +1000' auto
bridge() {
  p network create rigs >/dev/null || return
  p run -d --name server --network rigs box sh -c 'while :; do echo served | nc -l -p 80; done' >/dev/null || return
  local address; address=$(p inspect --format '{{.NetworkSettings.Networks.rigs.IPAddress}}' server)
  p run --rm --network rigs box sh -c "for i in 1 2 3 4 5; do nc -w 2 $address 80 </dev/null && break; sleep 0.5; done"; p rm -f -t 0 server >/dev/null; p network rm rigs >/dev/null
}
cell '--network bridge: two containers talk' 'served' bridge
built() { printf 'FROM localhost/box\nRUN echo built >/made\nRUN test -e /made && id -u >/who\n' >"$WORK/Dockerfile"; p build -q --network none -t box3 -f "$WORK/Dockerfile" "$WORK" >/dev/null && run box3 cat /made /who; }
cell 'build with RUN steps' $'built\n0' built
many() { local i pids=(); for i in $(seq "$1"); do run box echo hi >>"$WORK/many" & pids+=($!); done; wait "${pids[@]}"; grep -c '^hi$' "$WORK/many"; }
cell '10 containers at once' '10' many 10
