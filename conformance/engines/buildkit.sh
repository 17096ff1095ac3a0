#!/usr/bin/env bash
# BuildKit by itself, with one runtime in place of its runc: BUILDKIT=/folder RUNTIME=/path bash conformance/engines/buildkit.sh
# buildkitd and buildctl are in the folder, built by hand (github.com/moby/buildkit, `go build ./cmd/buildkitd ./cmd/buildctl`). Needs root and busybox-static. Dockerfiles
# are read by the frontend that buildkitd has in it; the image that they begin with is an OCI layout. Nothing is downloaded.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
engine_words "$@"
brought BUILDKIT buildkitd buildctl
engine_main "$@"
set -u
knows_newer_specs BuildKit
ENGINE_CGROUPS='buildkit'
without_apparmor
# buildkitd.toml as docs/docker.md has it.
sed -n '/^    \[worker.oci\]/,/^$/s/^    //p' "$here/../../docs/docker.md" | sed "s#/usr/local/bin/tsrun#$RUNTIME#" >"$WORK/buildkitd.toml"
"$BUILDKIT/buildkitd" --config "$WORK/buildkitd.toml" --root "$WORK/root" --addr "unix://$WORK/buildkit.sock" --containerd-worker=false --oci-worker-net host \
  --allow-insecure-entitlement security.insecure --allow-insecure-entitlement network.host >"$WORK/buildkitd.log" 2>&1 &
daemon=$!
b() { timeout -k 5 $deadline "$BUILDKIT/buildctl" --addr "unix://$WORK/buildkit.sock" "$@"; }
engine_rest() { end_daemon "$daemon"; }
engine_stop() { engine_rest; engine_remove; }
eventually b debug workers || { tail -5 "$WORK/buildkitd.log"; echo 'Bail out! buildkitd does not answer'; exit 2; }
make_rootfs "$WORK/rootfs"
make_image "$WORK/rootfs" "$WORK/box.tar"
mkdir -p "$WORK/layout" "$WORK/context" && tar -C "$WORK/layout" -xf "$WORK/box.tar"
digest=$(jq -r '.manifests[0].digest' "$WORK/layout/index.json")

build() { # build DOCKERFILE FLAG...
  printf "$1" >"$WORK/context/Dockerfile"
  shift
  b build --no-cache --frontend dockerfile.v0 --local context="$WORK/context" --local dockerfile="$WORK/context" --oci-layout box="$WORK/layout" --opt context:box="oci-layout://box@$digest" "$@"
}
built() { # built DOCKERFILE FLAG...: builds it and prints what the image has in /made
  rm -rf "$WORK/made"
  build "$@" --output "type=local,dest=$WORK/made" --progress plain >"$WORK/said" 2>&1 || { local status=$?; tail -n 30 "$WORK/said"; return $status; }
  cat "$WORK/made/made"
}
cell 'RUN' $'built\n0' built 'FROM box\nRUN echo built >/made && id -u >>/made\n'
cell 'RUN as a user, in a folder, with a variable' '1000 /tmp value' built 'FROM box\nUSER app\nWORKDIR /tmp\nENV KEY=value\nRUN echo $(id -u) $PWD $KEY >/tmp/w\nFROM box\nCOPY --from=0 /tmp/w /made\n'
failing() { built 'FROM box\nRUN echo so far; exit 9\n' | grep -oE 'so far$|exit code: 9' | sort -u; }
cell 'RUN that fails: its words, its status' $'exit code: 9\nso far' failing
missing() { built 'FROM box\nRUN ["/no-such-program"]\n' | grep -oE 'no such file or directory|not found in \$PATH|No such file' | head -n 1; }
cell 'RUN of a program that is not there' '.+' missing
cell 'RUN --mount: cache, tmpfs, bind, secret' $'1 tmpfs\nout of the first\nhidden\nkept' eval 'echo hidden >"$WORK/secret"; built "FROM box AS first\nRUN echo out of the first >/o\nFROM box\nRUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=bind,from=first,target=/f --mount=type=secret,id=s echo kept >/c/k; echo \$(grep -c \" /t tmpfs\" /proc/mounts) tmpfs >/made; cat /f/o /run/secrets/s /c/k >>/made\n" --secret id=s,src="$WORK/secret"'
cell 'RUN --network=none' 'lo' built 'FROM box\nRUN --network=none ls /sys/class/net >/made\n'
cell 'RUN --security=insecure' '0' built 'FROM box\nRUN --security=insecure grep Seccomp: /proc/self/status | tr -dc 0-9 >/made; echo >>/made\n' --allow security.insecure
cell 'seccomp and few capabilities are what RUN has' $'Seccomp:\t2\nCapEff:\t00000000a80425fb' built 'FROM box\nRUN grep -E "^(Seccomp|CapEff):" /proc/self/status | sort -r >/made\n'
cell 'RUN reads /proc and /sys, masked and read-only' $'0\nRead-only file system' built 'FROM box\nRUN wc -c </proc/keys >/made; { echo x >/proc/sys/kernel/domainname; } 2>&1 | grep -o "Read-only file system" >>/made\n'
at_once() { built "FROM box AS a\nRUN sleep 0.5; echo a >/o\nFROM box AS b\nRUN sleep 0.5; echo b >/o\nFROM box AS c\nRUN sleep 0.5; echo c >/o\nFROM box\nCOPY --from=a /o /a\nCOPY --from=b /o /b\nCOPY --from=c /o /c\nRUN cat /a /b /c >/made\n"; }
cell 'three stages at once' $'a\nb\nc' at_once
# BuildKit kills what runs, and wants it gone.
given_up() {
  # Itself, for a signal to the shell around it would not reach it.
  b() { exec "$BUILDKIT/buildctl" --addr "unix://$WORK/buildkit.sock" "$@"; }
  build 'FROM box\nRUN sleep 7070\n' >/dev/null 2>&1 &
  local build=$!
  eventually pgrep -fx 'sleep 7070' && echo runs
  kill -INT $build; wait $build
  eventually sh -c '! pgrep -fx "sleep 7070"' && echo gone
}
cell 'a build that is given up leaves no process' $'runs\ngone' given_up
engine_end
