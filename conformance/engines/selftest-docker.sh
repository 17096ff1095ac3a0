# What selftest.sh breaks for docker.sh.
together=yes
[ -n "$wanted" ] || { harmless; nothing; }
leftover
broken - '.process.args=["/bin/true"]' 'run prints' 'exit status passes through' 'a program that is not there: 127' 'run -i reads stdin' '--init passes TERM on' 'a healthcheck that fails'
broken kill '' 'stop sends TERM and waits' 'kill -s USR1 reaches the program' 'a signal to the client reaches the program'
broken exec '' 'exec prints' 'exec: the exit status comes back' 'exec -i' 'cp' 'diff and commit' 'restart'
broken pause '' 'pause, unpause'
broken update '' 'update --memory' 'update --cpus --cpuset-cpus --pids-limit keeps the memory limit' 'stats'
broken - 'del(.linux.seccomp)' 'the default seccomp profile is on' 'it denies a user namespace' '--security-opt seccomp=FILE' 'exec has the profile'
broken - '.process.noNewPrivileges=false' 'no-new-privileges'
broken - 'del(.linux.resources.memory,.linux.resources.cpu,.linux.resources.pids)' '--memory' '--memory: beyond it is killed' '--cpus' '--cpuset-cpus' '--pids-limit' '--cpu-shares' 'inspect says that it was killed for memory'
broken - '.linux.cgroupsPath="/elsewhere"' '--cgroup-parent'
broken - '.root.readonly=false' '--read-only'
broken - '.process.user={uid:0,gid:0}' '--user' '--user by name, --group-add' 'exec -u -w -e'
broken - '.process.capabilities={bounding:["CAP_KILL"],permitted:["CAP_KILL"],effective:["CAP_KILL"]}' '--cap-drop=all' '--cap-add'
broken - '.mounts|=map(select(.destination|test("^/(scratch|data|v)$")|not))' '--tmpfs' '-v' '-v :ro' '-v :rslave follows the host'
broken - '.hostname="else"|.process.env=["PATH=/bin"]|.process.rlimits=[]|del(.linux.sysctl)|.linux.devices=[]' '--hostname, -e, -w' '--ulimit' '--sysctl' '--device'
broken - '.linux.namespaces|=map(del(.path))' '--network and --pid of another container'
broken - '.mounts|=map(if .destination=="/v" then .options=["rbind","rslave"] else . end)' '-v :rprivate does not'
broken - '.linux.resources.devices=[{allow:true,access:"rwm"}]' 'devices are limited'
broken - '.linux.resources.devices=[{allow:false,access:"rwm"}]' '--device-cgroup-rule'
broken - '.linux.maskedPaths=["/proc/keys"]' '--security-opt systempaths=unconfined'
[ "$(dockerd --version | grep -oE '[0-9]+' | head -n 1)" -lt 28 ] || broken - '.process.args=["/bin/true"]' "containerd's image store" "containerd's image store: build"
