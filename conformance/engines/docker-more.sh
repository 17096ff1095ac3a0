# Cells of docker.sh beyond create, start, kill and delete: exec, pause, update, top, stats, build, many at once.

d run -d --name worker --network none --memory 64m box sh -c 'trap "exit 0" TERM; echo ready; while :; do sleep 0.2; done' >/dev/null
eventually logs_have worker ready
cell 'exec prints' 'hello' d exec worker echo hello
cell -s 7 'exec: the exit status comes back' '' d exec worker sh -c 'exit 7'
exec_stdin() { echo data | d exec -i worker cat; }
cell 'exec -i' 'data' exec_stdin
exec_terminal() { on_terminal "$D exec -it worker sh -c 'sleep 0.5; tty; stty size'"; }
cell 'exec -it under a pty' $'/dev/pts/[0-9]+\n40 100' exec_terminal
cell 'exec -u -w -e' '1000 /tmp value' d exec -u app -w /tmp -e KEY=value worker sh -c 'echo $(id -u) $PWD $KEY'
exec_detached() { d exec -d worker sh -c 'echo made >/tmp/made; sleep 50'; eventually d exec worker test -e /tmp/made && d exec worker cat /tmp/made; }
cell 'exec -d' 'made' exec_detached
# 127 as with run, since Docker 28.
cell -s $(($(major dockerd --version) < 28 ? 126 : 127)) 'exec of a program that is not there' '' d exec worker /bin/no-such-program
cell 'exec --privileged' 'CapEff:	0000[0-9a-f]{3}ff[ef]ffffff' d exec --privileged worker grep CapEff /proc/self/status
cell 'exec has the profile' 'Seccomp:	2' d exec worker grep Seccomp: /proc/self/status
top_rows() { d top worker | tail -n +2 | grep -c .; }
cell 'top' '[2-9]' top_rows
top_columns() { d top worker -eo pid,comm | sed -n '1p;/sleep/p' | tr -s ' ' | sed 's/[0-9]\+/N/' | uniq; }
cell 'top with columns' $'PID COMMAND\nN sleep' top_columns
paused() { d pause worker >/dev/null && d inspect --format '{{.State.Status}}' worker; d exec worker true 2>/dev/null || echo refused; d unpause worker >/dev/null && d exec worker echo awake; }
cell 'pause, unpause' $'paused\nrefused\nawake' paused
updated() { d update --memory 96m --memory-swap 96m --cpus 0.5 worker >/dev/null && d exec worker cat "$memory"; }
cell 'update --memory' '100663296' updated
cpus=$(limit cpu.cfs_quota_us cpu.max) cpuset=$(limit cpuset.cpus cpuset.cpus)
updated_others() { d update --cpus 0.25 --cpuset-cpus 0 --pids-limit 77 worker >/dev/null && d exec worker cat "$cpus" "$cpuset" "$pids" "$memory"; }
cell 'update --cpus --cpuset-cpus --pids-limit keeps the memory limit' $'25000( 100000)?\n0\n77\n100663296' updated_others
cell 'stats' '.*/ 96MiB.*' d stats --no-stream --format '{{.MemUsage}}' worker
copied() { echo copied >"$WORK/file"; d cp "$WORK/file" worker:/copied && d exec worker cat /copied; }
cell 'cp' 'copied' copied
committed() { d exec worker sh -c 'echo committed >/made' && d diff worker | grep -x 'A /made' && d commit worker box:2 >/dev/null && run box:2 cat /made; }
cell 'diff and commit' $'A /made\ncommitted' committed
restarted_by_hand() { d restart -t 1 worker >/dev/null && d exec worker echo again; }
cell 'restart' 'again' restarted_by_hand
attached() { d run -d --name worker2 --network none box sh -c 'trap "echo bye; exit 4" TERM; while :; do sleep 0.2; done' >/dev/null; (sleep 1.5; d kill -s TERM worker2 >/dev/null) & d attach worker2; echo "status $?"; d rm worker2 >/dev/null; }
cell 'attach, and the exit status' $'bye\nstatus 4' attached
proxied() { d run --rm --name worker3 --network none box sh -c 'trap "echo told; exit 6" TERM; echo ready; while :; do sleep 0.2; done' >"$WORK/proxied" 2>&1 & local client=$!; eventually grep -q ready "$WORK/proxied"; kill -TERM "$(pgrep -f "^[^ ]*$DOCKER run --rm --name worker3")"; wait $client; echo "status $?"; cat "$WORK/proxied"; }
cell 'a signal to the client reaches the program' $'status 6\nready\ntold' proxied
paused_stopped() { d run -d --name p1 --network none box sleep 7008 >/dev/null && d pause p1 && d kill p1 >/dev/null 2>&1; d unpause p1 >/dev/null 2>&1; d rm -f p1 >/dev/null; d ps -aq --filter name=p1; pgrep -fx 'sleep 7008' || :; }
cell 'a paused container is removed by force' 'p1' paused_stopped
oom_seen() { d run -d --name o1 --network none --memory 16m --memory-swap 16m box sh -c 'tail /dev/zero; sleep 2; exit 9' >/dev/null; d wait o1; eventually sh -c "$D inspect --format '{{.State.OOMKilled}}' o1 | grep true" && echo seen; d rm o1 >/dev/null; }
cell 'inspect says that it was killed for memory' $'9\nseen' oom_seen
joined() { d run --rm --network container:worker --pid container:worker box sh -c 'tr "\0" " " </proc/1/cmdline'; }
cell '--network and --pid of another container' '.*trap.*' joined
healthy() { d run -d --name h1 --network none --health-cmd 'test -e /proc/1' --health-interval 1s box sleep 100 >/dev/null; eventually sh -c "$D inspect --format '{{.State.Health.Status}}' h1 | grep -qx healthy" && echo healthy; d rm -f h1 >/dev/null; }
cell 'a healthcheck' 'healthy' healthy
d rm -f worker >/dev/null
sick() { d run -d --name h2 --network none --health-cmd 'echo broken; exit 1' --health-interval 1s --health-retries 2 box sleep 100 >/dev/null; eventually sh -c "$D inspect --format '{{.State.Health.Status}}' h2 | grep -qx unhealthy" && d inspect --format '{{.State.Health.Status}} {{(index .State.Health.Log 0).Output}}' h2; d rm -f h2 >/dev/null; }
cell 'a healthcheck that fails' $'unhealthy broken' sick
slow_check() { d run -d --name h3 --network none --health-cmd 'sleep 50' --health-interval 1s --health-timeout 1s --health-retries 1 box sleep 100 >/dev/null; eventually sh -c "$D inspect --format '{{.State.Health.Status}}' h3 | grep -qx unhealthy" && d inspect --format '{{.State.Health.Status}} {{.State.Status}}' h3; d rm -f h3 >/dev/null; pgrep -fx 'sleep 50' || :; }
cell 'a healthcheck that hangs' 'unhealthy running' slow_check
policy() { d inspect --format '{{.RestartCount}} {{.State.Status}}' "$1"; }
slay() { local pid; pid=$(d inspect --format '{{.State.Pid}}' "$1") && [ "$pid" -gt 0 ] && kill -KILL "$pid"; } # 0: not running
came_back() { [[ $(policy "$1") == [1-9]*\ running ]]; }
always() { d run -d --name r1 --network none --restart "$1" box sleep 100 >/dev/null; slay r1; eventually came_back r1 && d exec r1 echo back; d stop -t 0 r1 >/dev/null; d inspect --format '{{.State.Status}}' r1; d rm r1 >/dev/null; }
cell '--restart always: it comes back until it is stopped' $'back\nexited' always always
cell '--restart unless-stopped' $'back\nexited' always unless-stopped
told_through_init() { d run -d --name i1 --init --network none box sh -c 'trap "exit 8" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null && eventually logs_have i1 ready; d stop -t 10 i1 >/dev/null; d inspect --format '{{.State.ExitCode}}' i1; d rm i1 >/dev/null; }
cell '--init passes TERM on' '8' told_through_init
init_reaps() { run --init box sh -c '(sh -c "sleep 0.1 & :"); sleep 0.6; ps -o stat | grep -c Z; :'; }
cell '--init reaps orphans' '0' init_reaps
cell '--privileged: the devices of the host' $'c\nc' run --privileged box sh -c 'ls -l /dev/fuse /dev/kmsg | cut -c1'
cell '--privileged: cgroups and /proc/sys can be written' 'written' run --privileged box sh -c 'mkdir "$(dirname '"$pids"')/sub" && rmdir "$(dirname '"$pids"')/sub" && echo 100 >/proc/sys/net/core/somaxconn && echo written'
cell 'without it they cannot' 'refused' run box sh -c 'mkdir "$(dirname '"$pids"')/sub" 2>/dev/null || { echo 100 >/proc/sys/net/core/somaxconn; } 2>/dev/null || echo refused'
cell '--cpu-shares' '512|20|59' run --cpu-shares 512 box cat "$(limit cpu.shares cpu.weight)"
cell '--shm-size' '.* 2048 .*' run --shm-size 2m box sh -c 'df -k /dev/shm | tail -n 1'
cell '--oom-score-adj' '500' run --oom-score-adj 500 box cat /proc/self/oom_score_adj
cell '--uts host' "$(hostname)" run --uts host box hostname
cell '--cgroupns private' '0::/|[0-9]+:.*:/' run --cgroupns private box sed -n '$p' /proc/self/cgroup
cell '--security-opt systempaths=unconfined' '0' run --security-opt systempaths=unconfined box sh -c 'grep -c " /proc/[^ ]* " /proc/mounts; :'
own_profile() { echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}' >"$WORK/profile.json"; run --security-opt seccomp="$WORK/profile.json" box sh -c 'mkdir /x 2>&1; touch /y && echo rest works'; }
cell '--security-opt seccomp=FILE' $'.*Operation not permitted\nrest works' own_profile
cell '--device-cgroup-rule' 'x' run --cap-add mknod --device-cgroup-rule 'c 10:229 rw' box sh -c 'mknod /f c 10 229 && exec 3<>/f && echo x'
cell 'devices are limited' '.*(Operation not permitted|denied).*' run --cap-add mknod box sh -c 'mknod /f c 10 229; (exec 3<>/f) 2>&1; :'
follows() { # a mount that the host makes below a volume while the container runs
  mkdir -p "$WORK/volume" && mount -t tmpfs tmpfs "$WORK/volume" && mount --make-shared "$WORK/volume" && mkdir "$WORK/volume/later"
  d run -d --name v1 --network none -v "$WORK/volume:/v:$1" box sleep 100 >/dev/null && mount -t tmpfs later "$WORK/volume/later" && d exec v1 sh -c 'grep -c "^later /v/later " /proc/mounts; :'
  d rm -f v1 >/dev/null; umount -R "$WORK/volume"
}
cell '-v :rslave follows the host' '1' follows rslave
cell '-v :rprivate does not' '0' follows rprivate
built() { printf 'FROM box\nRUN echo built >/made\nRUN test -e /made && id -u >/who\n' >"$WORK/home/Dockerfile"; DOCKER_BUILDKIT=0 d build -q --network none -t box:3 "$WORK/home" >/dev/null && run box:3 cat /made /who; }
cell 'build with RUN steps' $'built\n0' built
built_by_kit() { printf 'FROM box\nRUN echo built >/made\n' >"$WORK/home/Dockerfile"; DOCKER_BUILDKIT=1 d build -q --network none -t box:4 "$WORK/home" >/dev/null && run box:4 cat /made; }
cell 'build with BuildKit' 'built' built_by_kit
fails_in() { printf 'FROM box\nRUN echo so far; exit 9\n' >"$WORK/home/Dockerfile"; DOCKER_BUILDKIT=$1 d build --network none "$WORK/home" 2>&1 | grep -oE '(returned a non-zero code|exit code): 9'; }
cell 'a RUN step that fails' '.*: 9' fails_in 0
cell 'a RUN step that fails with BuildKit' $'.*: 9(\n.*: 9)*' fails_in 1
kit_mounts() { printf 'FROM box AS first\nRUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/t echo one >/cache/f; echo two >/made; grep -c " /t tmpfs" /proc/mounts >>/made\nFROM box\nUSER app\nWORKDIR /tmp\nENV KEY=value\nCOPY --from=first /made /made\nRUN --mount=type=bind,from=first,target=/first echo $(id -u) $PWD $KEY $(cat /first/made) >/tmp/who\n' >"$WORK/home/Dockerfile"; DOCKER_BUILDKIT=1 d build -q --network none -t box:5 "$WORK/home" >/dev/null && run box:5 cat /made /tmp/who; }
cell 'BuildKit: stages, mounts, user' $'two\n1\n1000 /tmp value two 1' kit_mounts
many() { local i pids=(); for i in $(seq "$1"); do run box echo hi >>"$WORK/many" & pids+=($!); done; wait "${pids[@]}"; grep -c '^hi$' "$WORK/many"; }
cell '20 containers at once' '20' many 20
