# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Common code of the live scenes: network namespaces, veth wires, captures, a running castgate. All
# that a scene makes bears its own prefix and goes when the scene ends, however it ends.
set -euo pipefail

if [[ $(id -u) -ne 0 ]]; then
  echo "network namespaces need root"
  exit 77
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
castgate=${CASTGATE:-$here/../../build-test/controlplane/castgate}
[[ -x $castgate ]] || { echo "no program at $castgate: build first"; exit 1; }

prefix=${CG_SCENE_PREFIX:-cg}$$
work=$(mktemp -d)
export CASTGATE_SOCKET=$work/control.sock
declare -A background # pid: what runs there
spaces=()

end_scene() {
  local result=$? pid space
  trap - EXIT
  for pid in "${!background[@]}"; do kill -TERM "$pid" 2>/dev/null || continue; done
  for pid in "${!background[@]}"; do end_process "$pid"; done
  for space in "${spaces[@]}"; do ip netns del "$space" 2>/dev/null || continue; done
  [[ $result -eq 0 || ! -f $work/castgate.log ]] || tail -n 40 "$work/castgate.log"
  rm -rf "$work"
  [[ $result -eq 0 || -z ${verdict:-} ]] || echo "$verdict" # the last line says why
  exit "$result"
}
trap end_scene EXIT
trap 'exit 130' INT TERM HUP

# Waits up to 3 s for a process that was told to end, then kills it.
end_process() {
  local turn
  for turn in {1..30}; do
    kill -0 "$1" 2>/dev/null || break
    [[ $turn -lt 30 ]] || kill -KILL "$1" 2>/dev/null
    sleep 0.1
  done
  wait "$1" 2>/dev/null || return 0
}

fail() {
  verdict="$*"
  exit 1
}

# A namespace, known inside the scene by a short name, in which a host does as a router would not:
# it believes any source and sends nothing of its own accord. It says of no packet that nobody
# listens, so clients need no receivers; a scene about that sets the rates that Linux has (1000).
namespace() {
  local name
  for name; do
    ip netns add "$prefix$name"
    spaces+=("$prefix$name")
    within "$name" ip link set lo up
    within "$name" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
      net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0 \
      net.ipv4.icmp_ratelimit=3600000 net.ipv6.icmp.ratelimit=3600000
  done
}

within() { # NAME COMMAND...
  local name=$1
  shift
  ip netns exec "$prefix$name" "$@"
}

# A veth between two namespaces, up, without checksum offload: frames are whole on the wire.
wire() { # NAME INTERFACE NAME INTERFACE
  ip -n "$prefix$1" link add "$2" type veth peer name "$4" netns "$prefix$3"
  within "$1" ethtool -K "$2" tx off >/dev/null
  within "$3" ethtool -K "$4" tx off >/dev/null
  ip -n "$prefix$1" link set "$2" txqueuelen 10000 up
  ip -n "$prefix$3" link set "$4" txqueuelen 10000 up
}

# Joins interfaces by a bridge: a switch that floods, or with `snooping` one that does not.
bridge() { # NAME BRIDGE flooding|snooping INTERFACE...
  local name=$1 bridge=$2 snoops=0 interface
  [[ $3 != snooping ]] || snoops=1
  shift 3
  ip -n "$prefix$name" link add "$bridge" type bridge mcast_snooping "$snoops"
  for interface; do ip -n "$prefix$name" link set "$interface" master "$bridge"; done
  ip -n "$prefix$name" link set "$bridge" up
}

# Drops a share of the UDP packets that come in on an interface, before any bridge sees them.
lossy() { # NAME INTERFACE PER_THOUSAND
  within "$1" nft -f - <<NFT
table netdev loss_$2 {
  chain in {
    type filter hook ingress device "$2" priority 0;
    meta protocol { ip, ip6 } meta l4proto { udp, esp } numgen random mod 1000 < $3 drop
  }
}
NFT
}

# Starts a program in a namespace; its pid is in $started.
start() { # NAME LABEL COMMAND...
  local name=$1 label=$2
  shift 2
  ip netns exec "$prefix$name" "$@" >"$work/$label.log" 2>&1 </dev/null &
  started=$!
  background[$started]=$label
}

stop() { # PID
  kill -TERM "$1" 2>/dev/null || return 0
  end_process "$1"
  unset "background[$1]"
}

await() { # SECONDS WHAT COMMAND...
  local tries=$(($1 * 10)) what=$2
  shift 2
  while ! "$@" >/dev/null 2>&1; do
    ((tries--)) || fail "$what did not come"
    sleep 0.1
  done
}

captures=()
# Everything UDP that comes in on an interface, into $work/INTERFACE.pcap.
capture() { # NAME INTERFACE [FILTER]
  start "$1" "tcpdump-$2" tcpdump -i "$2" -Q in -n -U -B 65536 --time-stamp-precision=nano \
    -Z root -w "$work/$2.pcap" "${3:-udp or (vlan and (udp or (vlan and udp)))}"
  captures+=("$started")
  await 5 "capture on $2" grep -q "listening on" "$work/tcpdump-$2.log"
}

stop_captures() {
  local pid
  sleep 0.5
  for pid in "${captures[@]}"; do stop "$pid"; done
  captures=()
  ! grep -hE "^[1-9][0-9]* packets dropped by kernel" "$work"/tcpdump-*.log ||
    fail "a capture itself lost packets: its judgement is worth nothing"
}

# Runs castgate on a pipeline in a namespace and waits until it serves.
run_castgate() { # NAME FILE
  start "$1" castgate "$castgate" run "$2"
  gate=$started
  await 20 "castgate" "$castgate" show streams
}

# Ends castgate as a service manager does; it must drain and exit 0.
end_castgate() {
  local result=0
  kill -TERM "$gate"
  wait "$gate" || result=$?
  unset "background[$gate]"
  [[ $result -eq 0 ]] || fail "castgate ended with $result"
}

# New lines of two key files: of srtp_gcm, and of ESP.
append_keys() { # COUNT SRTP_FILE ESP_FILE
  local n
  for ((n = 0; n < $1; n++)); do
    openssl rand -hex 28 >>"$2"
    openssl rand -hex 20 >>"$3"
  done
}
