# Cells of checkpoint.sh: what can be seen and touched in a restored container. On cgroup v1, too: conformance/vm/v1.sh.

# Two that watch each other and whatever else is the runtime's: they write down descriptors that are no stream and lead to nothing of the
# container's, and whether an exec was seen.
eyes() {
  cat <<'PYTHON'
import os, re, time
os.fork()
seen, out = set(), open(f'/seen/{os.getpid()}', 'w')
own = re.compile(r'/dev/null|/seen(/\d+)?|/proc(/.*)?')
def note(line):
    if line in seen: return
    seen.add(line)
    print(line, file=out, flush=True)
while True:
    time.sleep(0.005)
    for pid in os.listdir('/proc'):
        if not pid.isdigit() or int(pid) == os.getpid(): continue
        try:
            program = os.readlink(f'/proc/{pid}/exe')
            if 'python' not in program and 'tsrun' not in program and 'criu' not in program: continue
            for fd in os.listdir(f'/proc/{pid}/fd'):
                link = os.readlink(f'/proc/{pid}/fd/{fd}')
                if own.fullmatch(link) or (int(fd) < 3 and 'tsrun' in program): continue
                if os.readlink(f'/proc/{pid}/exe') != program: continue # the program itself may have come meanwhile
                # the channel to the host, which tells nothing but numbers of steps
                if 'tsrun' in program and link.startswith('socket:'): note('exec'); continue
                note(f'{program} has {fd}: {link}')
            if os.readlink(f'/proc/{pid}/cwd') != '/': note(f'{program} is in ' + os.readlink(f'/proc/{pid}/cwd'))
        except OSError: pass
PYTHON
}

masked() { # a line for each masked path that shows something, or whose node root in the container can change; then the host's null device
  local path
  for path in $(jq -r '.linux.maskedPaths[]' "$WORK/eyes/config.json"); do
    rt exec cell-eyes sh -c '[ -e "$1" ] || exit 0
      if [ -d "$1" ]; then ls -A "$1"; else head -c 9 "$1"; fi
      if chmod 0 "$1" || chown 7 "$1"; then echo "changed: $1"; fi' sh "$path" 2>>"$WORK/masked.err"
  done
  rt exec cell-eyes ls -d /proc/kcore
  stat -c '%a %u' /dev/null
}

inside_part() {
  local before
  bundle eyes 'exec python3 /seen/watch.py' '.mounts += [{destination: "/usr", type: "bind", source: "/usr", options: ["bind", "ro"]}, {destination: "/seen", type: "bind", source: "'"$WORK"'/seen", options: ["bind"]}]
    | .process.args = ["/bin/busybox", "sh", "-c", "exec /usr/bin/python3 /seen/watch.py"]
    | .process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER"] | unique)'
  mkdir -p "$WORK/seen" && eyes >"$WORK/seen/watch.py"
  mkdir -p "$WORK/eyes/rootfs/seen" && ln -s usr/lib usr/lib64 "$WORK/eyes/rootfs"
  start eyes && eventually test -e "$WORK/seen/1"
  cell 'masked paths show nothing, and nothing of the host’s (S48)' $'/proc/kcore\n666 0' masked
  cell 'a checkpoint of one that watches' '' dump eyes
  restored() { back eyes && sleep 2 && sort -u "$WORK/seen/"[0-9]* && echo "$(ls "$WORK/seen" | grep -c '[0-9]')"; }
  cell 'CVE-2016-9962 (S24): while it is restored, nothing of the host’s is to be seen' $'(exec\n)?2' restored
  entered() {
    local round
    for round in 1 2 3; do
      strace -f -qq -o /dev/null -e inject=all:delay_exit=3000 "$RUNTIME" exec --user 1000:1000 cell-eyes true 9</etc/shadow || return
    done
    sort -u "$WORK/seen/"[0-9]*
  }
  cell 'CVE-2016-9962 (S22, S24): nor of an exec on its way into a restored container' 'exec' entered
  cell 'masked paths are masked again, and by nothing of the host’s' $'/proc/kcore\n666 0' masked
  finish eyes

  bundle null "$PAYLOAD" '.mounts += [{destination: "/etc/none", type: "bind", source: "/dev/null", options: ["bind"]}]'
  start null && eventually counts null 5
  cell 'a bound /dev/null: checkpoint' '' dump null
  before=$(count null)
  cell 'and restore' '' eval 'back null && goes_on null '"$before"
  cell 'it is bound again' '1:3' rt exec cell-null stat -c %t:%T /etc/none
  finish null

  # As runc's own `spec` has it: on v1 without a cgroup namespace.
  for other in runc; do
    [ "$NAME" = tsrun ] && command -v $other >/dev/null || continue
    bundle other "$PAYLOAD"
    by_other() {
      $other --root "$WORK/other/state" run -d --bundle "$WORK/other" cell-other </dev/null >/dev/null 2>&1 && eventually counts other 5 &&
        $other --root "$WORK/other/state" checkpoint --image-path "$WORK/other/image" --work-path "$WORK/other/work" cell-other
    }
    cell "an image that $other makes" '' by_other
    before=$(count other)
    cell "is restored, of $other" '' eval 'back other && goes_on other '"$before"
    cell 'and is in the cgroup that it is given' '/cell-other' eval 'sed -n "s/.*:\(\/cell-other\).*/\1/p" "/proc/$(rt state cell-other | jq .pid)/cgroup" | sort -u'
    cell 'and its cgroups are read-only, as its config has it' 'ro' eval 'rt exec cell-other awk "\$5 ~ /^.sys.fs.cgroup/ { print substr(\$6, 1, 2) }" /proc/self/mountinfo | sort -u'
    finish other
  done
}
