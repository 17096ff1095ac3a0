# What selftest.sh breaks for podman.sh.
part=core
[ -n "$wanted" ] || harmless
leftover
broken - '.process.args=["/bin/true"]' 'run prints' 'exit status passes through' 'run -i reads stdin' 'run -it under a pty'
broken - 'del(.linux.seccomp)' 'the default seccomp profile is on' 'it denies swapoff' 'a seccomp profile of our own'
broken - '.process.noNewPrivileges=false' 'no_new_privs'
broken - 'del(.linux.resources.memory)' '--memory' '--memory: beyond it is killed'
broken - 'del(.linux.resources.cpu)' '--cpus' '--cpu-shares' '--cpuset-cpus'
broken - 'del(.linux.resources.pids)' '--pids-limit' '--pids-limit stops a fork'
broken - '.linux.cgroupsPath="/elsewhere"' '--cgroup-parent'
broken - '.root.readonly=false' '--read-only'
broken - '.process.user={uid:0,gid:0}' '--user 1000:1000' '--user by name, with its groups' '--group-add'
broken - '.process.capabilities={bounding:["CAP_CHOWN"],permitted:["CAP_CHOWN"],effective:["CAP_CHOWN"]}' '--cap-drop=all' '--cap-drop=all --cap-add' '--privileged'
broken - '.mounts|=map(select(.destination|test("scratch|data|/one|/m$|/k$|/shm")|not))' '--tmpfs' '-v' '-v of a file' '--mount type=bind,ro' 'a named volume' '--shm-size'
broken - '.mounts|=map(.options-=["ro","rshared"])' '-v :ro' '-v :rshared' '--mount type=bind,ro'
broken - '.linux.uidMappings=[{containerID:0,hostID:300000,size:3000}]' '--uidmap' '--uidmap seen from outside'
broken - '.hostname="else"' '--hostname'
broken - '.process.env=[]|.process.cwd="/"' '--env and --workdir'
broken - '.process.rlimits=[]' '--ulimit'
broken - 'del(.linux.sysctl)' '--sysctl'
broken - 'del(.linux.devices)' '--device'
broken - '.linux.resources.devices=[{allow:true,access:"rwm"}]' 'devices are limited'
broken - 'del(.linux.maskedPaths,.linux.readonlyPaths)' 'masked and read-only paths'
broken - '.linux.namespaces|=map(select(.type!="uts"))' 'no namespace is the host'"'"'s'
broken - '.process.terminal=false' 'run -d -t has a terminal'
broken kill '' 'stop sends TERM and waits' 'kill -s KILL' 'kill -s USR1 reaches the program'
broken start '' 'run -d' 'run prints'

part=more
broken pause '' 'pause, unpause'

part=flags
broken - '.mounts|=map(select(.destination|test("data|/m$|/lent|secrets|^/run$")|not))' '-v :Z' '-v :noexec,nosuid,nodev' '-v :O keeps what is written' '--mount type=tmpfs' '--mount type=devpts' '--volumes-from' '--secret' '--systemd always'
broken - '.mounts|=map(if .options then .options|=map(if test("^r?(shared|slave)$") then "rprivate" else . end) else . end)' '-v :rshared carries a mount out' '-v :rslave lets a mount in' '--mount type=bind,bind-propagation'
broken - '.linux.rootfsPropagation="rslave"|.mounts|=map(if .destination=="/peer" then .options=["rbind","rslave"] else . end)' '-v :rprivate does not'
broken - '.linux.maskedPaths=["/proc/keys"]' '--security-opt mask' '--security-opt unmask=ALL'
broken - '.mounts|=map(if .type=="proc" then .options=["nosuid"] else . end)' '--security-opt proc-opts'
broken - '.process.capabilities={bounding:["CAP_CHOWN"],permitted:["CAP_CHOWN"],effective:["CAP_CHOWN"]}' '--cap-add=all' '--cap-add for an ordinary user'
broken - '.linux.devices=[]|.linux.resources.devices=[{allow:true,access:"rwm"}]' '--privileged has the devices of the host' '--device with rights: reading only'
broken - '.linux.resources.devices=[{allow:false,access:"rwm"}]' '--device-cgroup-rule'
broken - 'del(.linux.personality)' '--personality'
broken - '.process.rlimits=[]' '--ulimit of its own kind'
broken - 'del(.linux.sysctl)' '--sysctl of ipc and net'
broken - '.process.env=[]' '--env-file and --unsetenv'
broken - 'del(.linux.resources.memory,.linux.resources.cpu)' '--memory-reservation' '--cpu-period, --cpu-quota'
broken - '.linux.namespaces|=map(del(.path))' '--ipc container:' '--uts container:' '--cgroupns container:' '--network ns:'
broken - 'del(.hooks)' '--hooks-dir'
broken - '.process.args=["/bin/true"]' '--sdnotify container' '--init reaps orphans' '--log-driver passthrough' '--rootfs'
part=pods
broken exec '' 'exec --preserve-fds' 'exec has the environment of the container' '8 execs at once' 'cp out of a running container'
broken update '' 'update'
broken pause '' 'pod pause, unpause'
broken kill '' 'rm -f after conmon was killed' 'pod kill'
broken - '.linux.namespaces|=map(del(.path))' 'a pod: net, ipc and uts are shared, mnt and pid are not' 'a pod that shares its pids'
broken - '.process.env=["PATH=/bin"]' 'play kube: two containers, a volume, a config map'
# podman 5 and 6
part=new
if podman artifact --help >/dev/null 2>&1; then
  broken - 'del(.linux.intelRdt)' '--rdt-class where there is no resctrl'
  broken - '.mounts|=map(select(.destination|test("/art|/one")|not))' '--mount type=artifact' '--mount type=artifact,title: one file of it'
  broken - '.linux.namespaces|=map(select(.type!="user"))|del(.linux.uidMappings,.linux.gidMappings)' 'play kube: hostUsers: false' 'play kube --userns auto'
  broken update '' 'update --device-read-bps' 'update --device-write-iops'
fi
