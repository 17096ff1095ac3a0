# createRuntime hook, run by the host's sh with the container's state on stdin. The first container gets one end of a
# new veth pair as eth0; the other end waits on the host until the second container of this bundle takes it.
set -eu
state=$(cat)
pair=tsr$(cd "$(dirname "$0")" && pwd | cksum | cut -d ' ' -f 1) # one name a bundle folder, 15 characters at most
parked=${pair}b
pid=$(printf %s "$state" | sed -n 's/.*"pid" *: *\([0-9]*\).*/\1/p')

if ip link show "$parked" > /dev/null 2>&1; then
  end=$parked
  address=10.99.7.2/24
else
  end=${pair}a
  address=10.99.7.1/24
  ip link add "$end" type veth peer name "$parked"
fi
ip link set "$end" netns "$pid" name eth0
nsenter --net="/proc/$pid/ns/net" ip address add "$address" dev eth0
nsenter --net="/proc/$pid/ns/net" ip link set eth0 up
