# Cells of docker.sh that need a daemon which is set up in another way: daemon.json, a restart, userns-remap, bridges.

# daemon.json as docs/docker.md has it, with our path and what a cell adds.
documented() { sed -n '/^    {/,/^    }/s/^    //p' "$here/../../docs/docker.md"; }
daemon_json() { documented | jq --arg path "$RUNTIME" ".runtimes.tsrun.path = \$path | $1" >"$WORK/daemon.json"; }
restart_with() { engine_rest; dockerd_start "$@"; }
daemon_json '."live-restore" = true'
restart_with "${alone[@]}"
cell 'daemon.json of docs/docker.md: default-runtime' 'tsrun hello' bash -c "echo \$($D info --format '{{.DefaultRuntime}}') \$($D run --rm --network none box echo hello)"
by_name() { d create --name n1 --network none --runtime tsrun box echo named >/dev/null && d inspect --format '{{.HostConfig.Runtime}}' n1 && d start -a n1; d rm n1 >/dev/null; }
cell 'run --runtime NAME' $'tsrun\nnamed' by_name
reloaded() {
  daemon_json '."live-restore" = true | .runtimes.later = {path: $path, runtimeArgs: ["--debug"]} | ."default-runtime" = "later"'
  kill -HUP "$daemon"; eventually sh -c "$D info --format '{{.DefaultRuntime}}' | grep later"
  d create --name n2 --network none box echo reloaded >/dev/null && d inspect --format '{{.HostConfig.Runtime}}' n2 && d start -a n2; d rm n2 >/dev/null
}
cell 'daemon.json is read again: another default, with runtimeArgs' $'later\nreloaded' reloaded
left_alone() { # docs/docker.md, "Go back": the name goes while a container still has it
  d run -d --name n3 --network none --runtime tsrun box sleep 100 >/dev/null && echo '{"live-restore": true, "runtimes": {}, "default-runtime": "runc"}' >"$WORK/daemon.json" && kill -HUP "$daemon" && sleep 1
  d exec n3 echo reached && d stop -t 0 n3 >/dev/null && d inspect --format '{{.State.Status}}' n3; d start n3 2>&1 | grep -oiE 'unknown (runtime specified|or invalid runtime name:) tsrun'; d rm -f n3 >/dev/null
  daemon_json '."live-restore" = true'; kill -HUP "$daemon"
}
cell 'going back while a container runs' $'reached\nexited\n[Uu]nknown .*tsrun' left_alone

# With live-restore containers outlive dockerd. In this shell, not a cell's, because the daemon that comes back is to be waited for.
if any_wanted 'live-restore: dockerd restarts' 'live-restore: dockerd is killed'; then
  trapper='trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
  lives() {
    local before
    before=$(d inspect --format '{{.State.Pid}}' "$1")
    if [ "$2" = TERM ]; then end_daemon "$daemon"; else kill -KILL "$daemon"; wait "$daemon"; rm -f "$WORK/docker.pid"; fi
    grep -q trap "/proc/$before/cmdline" && echo alive
    dockerd_start "${alone[@]}"
    [ "$(d inspect --format '{{.State.Pid}}' "$1")" = "$before" ] && d exec "$1" echo reached
    d stop "$1" >/dev/null; d inspect --format '{{.State.ExitCode}}' "$1"; d rm "$1" >/dev/null
  }
  for name in l1 l2; do d run -d --name $name --network none box sh -c "$trapper" >/dev/null; eventually logs_have $name ready; done
  lives l1 TERM >"$WORK/place" 2>&1
  cell 'live-restore: dockerd restarts' $'alive\nreached\n7' cat "$WORK/place"
  lives l2 KILL >"$WORK/place" 2>/dev/null
  cell 'live-restore: dockerd is killed' $'alive\nreached\n7' cat "$WORK/place"
fi
if wanted '--restart always and unless-stopped when dockerd restarts'; then
  daemon_json .
  restart_with "${alone[@]}"
  d run -d --name a1 --network none --stop-timeout 1 --restart always box sleep 100 >/dev/null
  d run -d --name a2 --network none --restart unless-stopped box sleep 100 >/dev/null; d stop -t 0 a2 >/dev/null
  restart_with "${alone[@]}"
  back() { eventually sh -c "$D exec a1 true" && d inspect --format '{{.State.Status}}' a1 a2; d rm -f a1 a2 >/dev/null; }
  cell '--restart always and unless-stopped when dockerd restarts' $'running\nexited' back
fi

# Root of the container is an ordinary user of the host.
if any_wanted '--userns-remap' '--userns-remap: seen from outside, exec' "--userns-remap: a file of the host's root" '--userns-remap: a terminal' '--userns-remap: --userns host' '--userns-remap: --read-only --tmpfs --memory' '--userns-remap: build'; then
  for file in subuid subgid; do [ -e /etc/$file ] && printf 'nobody:300000:65536\nnogroup:300000:65536\n' >"$WORK/$file" && mount --bind "$WORK/$file" /etc/$file; done
  echo '{}' >"$WORK/daemon.json"
  restart_with "${named[@]}" "${alone[@]}" --userns-remap=nobody:nogroup
  tar -C "$WORK/rootfs" -cf - . | d import -c 'ENV PATH=/bin' - mapped >/dev/null
  cell '--userns-remap' $'0\n 0 300000 65536' run mapped sh -c 'id -u; cat /proc/self/uid_map | tr -s " "'
  outside() { d run -d --name u1 --network none mapped sleep 100 >/dev/null && stat -c %u "/proc/$(d inspect --format '{{.State.Pid}}' u1)" && d exec u1 id -u && d exec -u app u1 id -u; d rm -f u1 >/dev/null; }
  cell '--userns-remap: seen from outside, exec' $'300000\n0\n1000' outside
  mkdir -p "$WORK/owned" && echo secret >"$WORK/owned/file" && chmod 600 "$WORK/owned/file"
  cell "--userns-remap: a file of the host's root" '.*Permission denied' run -v "$WORK/owned:/v" mapped sh -c 'cat /v/file 2>&1; :'
  cell '--userns-remap: a terminal' '/dev/pts/0' on_terminal "$D run --rm -it --network none mapped sh -c 'sleep 0.5; tty'"
  cell '--userns-remap: --userns host' $' 0 0 4294967295' run --userns host mapped sh -c 'cat /proc/self/uid_map | tr -s " "'
  cell '--userns-remap: --read-only --tmpfs --memory' '67108864' run --read-only --tmpfs /scratch --memory 64m mapped cat "$memory"
  mapped_build() { printf 'FROM mapped\nRUN id -u >/who && touch /made\n' >"$WORK/home/Dockerfile"; DOCKER_BUILDKIT=0 d build -q --network none -t mapped:2 "$WORK/home" >/dev/null && run mapped:2 sh -c 'cat /who; stat -c %u /made'; }
  cell '--userns-remap: build' $'0\n0' mapped_build
  umount /etc/subuid /etc/subgid
fi

# Bridges, with the rules that dockerd makes; the script has a network namespace of its own.
any_wanted '--network none has nothing but lo' '--network bridge has eth0' 'two containers talk over a bridge' '-p: the host reaches a port' 'network connect and disconnect while it runs' 'as compose: a web server and its database' || return 0
ip link set lo up
restart_with "${named[@]}" --bip 10.99.0.1/24
cell '--network none has nothing but lo' 'lo' run box ls /sys/class/net
cell '--network bridge has eth0' $'eth0\n(.*\n)?lo' d run --rm --network bridge box ls /sys/class/net
serve='while :; do echo "served by $(hostname)" | nc -l -p 80; done'
client='for i in $(seq 20); do nc -w 2 $1 80 </dev/null && break; sleep 0.5; done'
talk() {
  d run -d --name server --hostname one box sh -c "$serve" >/dev/null || return
  d run --rm box sh -c "$client" sh "$(d inspect --format '{{.NetworkSettings.IPAddress}}' server)"; d rm -f server >/dev/null
}
cell 'two containers talk over a bridge' 'served by one' talk
published() { # the host reaches it
  d run -d --name server --hostname one -p 127.0.0.1:8080:80 box sh -c "$serve" >/dev/null || return
  for _ in $(seq 10); do timeout 2 bash -c 'cat </dev/tcp/127.0.0.1/8080' 2>/dev/null && break; sleep 0.3; done; d rm -f server >/dev/null
}
cell '-p: the host reaches a port' 'served by one' published
connected() { d network create --subnet 10.97.0.0/24 second >/dev/null && d run -d --name c1 box sleep 100 >/dev/null && d network connect --ip 10.97.0.7 second c1 && d exec c1 ip -o -4 addr show eth1 | grep -o '10.97.0.7'; d network disconnect second c1 && d exec c1 ls /sys/class/net | grep -c eth1; d rm -f c1 >/dev/null; d network rm second >/dev/null; }
cell 'network connect and disconnect while it runs' $'10.97.0.7\n0' connected
# What compose does with a file of two services: a network with names, a volume, the second waits for the health of the first.
composed() {
  d network create --subnet 10.98.0.0/24 app >/dev/null && d volume create data >/dev/null || return
  d run -d --name app_db_1 --network app --network-alias database -v data:/data --restart unless-stopped --health-cmd 'test -e /data/ready' --health-interval 1s \
    box sh -c 'sleep 1; touch /data/ready; while :; do echo "row from $(hostname -i)" | nc -l -p 5432; done' >/dev/null
  eventually sh -c "$D inspect --format '{{.State.Health.Status}}' app_db_1 | grep -qx healthy" && echo healthy
  d run -d --name app_web_1 --network app -v data:/data --init --read-only --user 1000 -p 127.0.0.1:8081:8080 \
    box sh -c 'test -e /data/ready; while :; do { echo "web has: $(nc -w 2 database 5432 </dev/null)"; } | nc -l -p 8080; done' >/dev/null
  for _ in $(seq 10); do timeout 3 bash -c 'cat </dev/tcp/127.0.0.1/8081' 2>/dev/null | grep row && break; sleep 0.3; done
  slay app_db_1
  eventually came_back app_db_1 && for _ in $(seq 10); do timeout 3 bash -c 'cat </dev/tcp/127.0.0.1/8081' 2>/dev/null | grep row && break; sleep 0.3; done
  d stop -t 2 app_web_1 app_db_1 >/dev/null; d rm app_web_1 app_db_1 >/dev/null; d volume rm data; d network rm app
}
cell 'as compose: a web server and its database' $'healthy\nweb has: row from 10.98.0.2\nweb has: row from 10.98.0.[23]\ndata\napp' composed
