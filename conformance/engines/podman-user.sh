# Cells of rootless.sh alone: ids, as an ordinary user has them.

cell 'the whole range is mapped' $'0 4321 1\n1 500000 65536' run box awk '{ print $1, $2, $3 }' /proc/self/uid_map
cell '--userns keep-id' "$user $user" run --userns keep-id box sh -c 'echo $(id -u) $(id -g)'
cell '--userns keep-id:uid=,gid=' '7 8' run --userns keep-id:uid=7,gid=8 box sh -c 'echo $(id -u) $(id -g)'
cell '--userns keep-id, exec' "$user" eval 'p run -d --name mine --network none --userns keep-id box sleep 100 >/dev/null && p exec mine id -u; p rm -f -t 0 mine >/dev/null'
cell '--userns nomap: the user is not in it' '0' eval 'run --userns nomap box sh -c "awk \"\\\$2 == 0\" /proc/self/uid_map | wc -l"'
cell '--userns host' '0 4321 1' eval 'run --userns host box awk "NR == 1 { print \$1, \$2, \$3 }" /proc/self/uid_map'
cell '--uidmap of a part' ' +0 +1 +500' run --uidmap 0:1:500 --gidmap 0:1:500 box cat /proc/self/uid_map
cell '--userns auto' ' +0 +1 +300' run --userns auto:size=300 box cat /proc/self/uid_map
theirs() { run -v "$WORK/shared:/data" box touch /data/theirs; stat -c %u "$WORK/shared/theirs"; run --user 5 -v "$WORK/shared:/data" box touch /data/of5; stat -c %u "$WORK/shared/of5"; }
mkdir -m 777 -p "$WORK/shared"
cell 'a file that root makes inside belongs to the user' $'4321\n500004' theirs
cell '-v :U gives the files away' '500004' eval 'mkdir "$WORK/storage/given" && chown $user:$user "$WORK/storage/given" && run --user 5 -v "$WORK/storage/given:/data:U" box true; stat -c %u "$WORK/storage/given"'
kept_groups() { (cd / && ${P/--clear-groups/--groups 4321,7777} run --rm $ULIMIT_HOST --network none --group-add keep-groups box id -G); }
cell '--group-add keep-groups' '.*65534.*' kept_groups
cell 'unshare' '0' p unshare id -u
cell 'no process of the host is seen, no id of the host is had' '1 4321' eval 'p run -d --name seen --network none box sleep 100 >/dev/null; pid=$(p inspect --format "{{.State.Pid}}" seen); echo $(awk "/^NSpid/ { print \$NF }" /proc/$pid/status) $(awk "/^Uid/ { print \$2 }" /proc/$pid/status); p rm -f -t 0 seen >/dev/null'
# pasta gives the container the host's interface and address; the suite's own network has none but lo.
if command -v pasta >/dev/null && [ "$(major podman --version)" -ge 5 ]; then
  ip link add rigp0 type veth peer name rigp1 && ip link set rigp1 up && ip addr add 10.55.0.2/24 dev rigp0 && ip link set rigp0 up && ip route add default via 10.55.0.1
  # Its default since podman 5; the published port is the way in.
  cell '--network pasta: interface and address' '10.55.0.2' eval 'p run --rm --network pasta box ip -o -4 addr show dev rigp0 | grep -o "10[.]55[.]0[.]2"'
  pasted() {
    p run -d --name web --network pasta -p 127.0.0.1:7272:80 box sh -c 'while :; do echo served | nc -l -p 80; done' >/dev/null || return
    for _ in $(seq 20); do busybox nc -w 2 127.0.0.1 7272 </dev/null && break; sleep 0.5; done; p rm -f -t 0 web >/dev/null
  }
  cell '--network pasta -p: a published port' 'served' pasted
  ip link del rigp0 2>/dev/null
fi
