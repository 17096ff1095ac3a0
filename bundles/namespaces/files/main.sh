# Says which namespaces this process lives in; the test compares them with the host's.
echo "own pid: $$"
for kind in cgroup ipc mnt net pid time user uts; do
  echo "$kind: $(readlink /proc/self/ns/$kind)"
done
echo "hostname: $(cat /proc/sys/kernel/hostname)"
echo "processes: $(ls /proc | grep -c '^[0-9]*$')"
echo "interfaces: $(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | tr '\n' ' ')"
echo "cgroup path: $(tail -n 1 /proc/self/cgroup | cut -d: -f3)"
echo "uid map: $(tr -s ' ' < /proc/self/uid_map)"
echo "uptime: $(cut -d. -f1 /proc/uptime)"
