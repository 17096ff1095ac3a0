# Run by exec: whose namespaces are these, compared with those of process 1?
echo "process: $$"
echo "parent: $PPID"
for kind in cgroup ipc mnt net pid time user uts; do
  if [ "$(readlink /proc/self/ns/$kind)" = "$(readlink /proc/1/ns/$kind)" ]; then echo "$kind: the same"; else echo "$kind: another"; fi
done
echo "hostname: $(cat /proc/sys/kernel/hostname)"
for process in 1 self; do
  echo "capabilities of $process: $(sed -n 's/^CapEff:[[:space:]]*//p' /proc/$process/status)"
done
