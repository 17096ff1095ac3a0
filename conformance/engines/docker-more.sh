# Cells of docker.sh beyond create, start, kill and delete: exec, pause, update, top, stats, build, user namespaces, bridges.

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
cell -s 126 'exec of a program that is not there' '' d exec worker /bin/no-such-program
cell 'exec --privileged' 'CapEff:	0000[0-9a-f]{3}ff[ef]ffffff' d exec --privileged worker grep CapEff /proc/self/status
cell 'exec has the profile' 'Seccomp:	2' d exec worker grep Seccomp: /proc/self/status
top_rows() { d top worker | tail -n +2 | grep -c .; }
cell 'top' '[2-9]' top_rows
paused() { d pause worker >/dev/null && d inspect --format '{{.State.Status}}' worker; d exec worker true 2>/dev/null || echo refused; d unpause worker >/dev/null && d exec worker echo awake; }
cell 'pause, unpause' $'paused\nrefused\nawake' paused
updated() { d update --memory 96m --memory-swap 96m --cpus 0.5 worker >/dev/null && d exec worker cat "$memory"; }
cell 'update --memory' '100663296' updated
cell 'stats' '.*/ 96MiB.*' d stats --no-stream --format '{{.MemUsage}}' worker
copied() { echo copied >"$WORK/file"; d cp "$WORK/file" worker:/copied && d exec worker cat /copied; }
cell 'cp' 'copied' copied
cell 'diff and commit' '.*A /copied.*' bash -c "$D diff worker && $D commit worker box:2 >/dev/null"
restarted_by_hand() { d restart -t 1 worker >/dev/null && d exec worker echo again; }
cell 'restart' 'again' restarted_by_hand
joined() { d run --rm --network container:worker --pid container:worker box sh -c 'tr "\0" " " </proc/1/cmdline'; }
cell '--network and --pid of another container' '.*trap.*' joined
healthy() { d run -d --name h1 --network none --health-cmd 'test -e /proc/1' --health-interval 1s box sleep 100 >/dev/null; eventually sh -c "$D inspect --format '{{.State.Health.Status}}' h1 | grep -qx healthy" && echo healthy; d rm -f h1 >/dev/null; }
cell 'a healthcheck' 'healthy' healthy
d rm -f worker >/dev/null
built() { printf 'FROM box\nRUN echo built >/made\nRUN test -e /made && id -u >/who\n' >"$WORK/home/Dockerfile"; DOCKER_BUILDKIT=0 d build -q --network none -t box:3 "$WORK/home" >/dev/null && run box:3 cat /made /who; }
cell 'build with RUN steps' $'built\n0' built
built_by_kit() { printf 'FROM box\nRUN echo built >/made\n' >"$WORK/home/Dockerfile"; DOCKER_BUILDKIT=1 d build -q --network none -t box:4 "$WORK/home" >/dev/null && run box:4 cat /made; }
cell 'build with BuildKit' 'built' built_by_kit
many() { local i pids=(); for i in $(seq "$1"); do run box echo hi >>"$WORK/many" & pids+=($!); done; wait "${pids[@]}"; grep -c '^hi$' "$WORK/many"; }
cell '20 containers at once' '20' many 20

# Two more daemons on the same folder: one that maps root away, one with a bridge.
for file in subuid subgid; do [ -e /etc/$file ] && printf 'nobody:300000:65536\nnogroup:300000:65536\n' >"$WORK/$file" && mount --bind "$WORK/$file" /etc/$file; done
engine_rest
dockerd_start --bridge=none --userns-remap=nobody:nogroup
mapped() { tar -C "$WORK/rootfs" -cf - . | d import -c 'ENV PATH=/bin' - mapped >/dev/null && run mapped sh -c 'id -u; cat /proc/self/uid_map | tr -s " "'; }
cell '--userns-remap' $'0\n 0 300000 65536' mapped
umount /etc/subuid /etc/subgid
engine_rest
dockerd_start --bip 10.99.0.1/24
talk() {
  d run -d --name server box sh -c 'while :; do echo served | nc -l -p 80; done' >/dev/null || return
  local address; address=$(d inspect --format '{{.NetworkSettings.IPAddress}}' server)
  d run --rm box sh -c "for i in 1 2 3 4 5; do nc -w 2 $address 80 </dev/null && break; sleep 0.5; done"; d rm -f server >/dev/null
}
cell 'two containers talk over a bridge' 'served' talk
