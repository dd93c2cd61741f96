# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The scene of the failover tests: one sender, two paths that lose packets of their own, a merge in
# the middle, a receiver. Sourced after lib.sh.
#
#   src ── a0 ── [bridge A, loses] ── red0  ┐
#    │                                      ├ gate ── out0 ── in0 ── dst
#    └──── b0 ── [bridge B, loses] ── blue0 ┘

leg_a=239.1.0.1:5000
leg_b=239.2.0.1:5002
virtual=239.9.0.1:5000

two_paths() { # LOSS_PER_THOUSAND
  namespace src net gate dst
  wire src a0 net na0
  wire net na1 gate red0
  wire src b0 net nb0
  wire net nb1 gate blue0
  wire gate out0 dst in0
  bridge net bra flooding na0 na1
  bridge net brb flooding nb0 nb1
  if [[ $1 -gt 0 ]]; then
    lossy net na0 "$1"
    lossy net nb0 "$1"
  fi
  ip -n "${prefix}gate" address add 10.1.0.2/24 dev red0
  ip -n "${prefix}gate" address add 10.2.0.2/24 dev blue0
  ip -n "${prefix}gate" address add 10.9.0.2/24 dev out0
}

# The pipeline of this scene; further keys of failover: as YAML flow.
two_path_pipeline() { # FILE [FAILOVER]
  cat >"$1" <<YAML
schema: 1
appliance:
  name: two-paths
  worker_cores: [1]
  control_core: 0
  state_dir: $work/state
  control_socket: $CASTGATE_SOCKET
ports:
  red: {device: "net_af_packet0,iface=red0", addresses: [10.1.0.2/24]}
  blue: {device: "net_af_packet1,iface=blue0", addresses: [10.2.0.2/24]}
  out: {device: "net_af_packet2,iface=out0", addresses: [10.9.0.2/24]}
streams:
  news:
    legs:
      A: {port: red, to: "$leg_a"}
      B: {port: blue, to: "$leg_b"}
    sequence: rtp
    failover: {${2:-max_skew: 50ms}}
    outputs:
      main: {port: out, to: "$virtual", source: 10.9.0.9}
YAML
}

# COUNT packets at 1000 a second onto both paths; the second path is DELAY milliseconds longer.
send_on_two_paths() { # COUNT DELAY
  start src sender python3 "$here/rtp_send.py" --count "$1" --rate 1000 \
    --leg "interface=a0,source=10.1.0.5,to=$leg_a" \
    --leg "interface=b0,source=10.2.0.5,to=$leg_b,delay_ms=$2"
  sender=$started
}

# Until so many packets of the virtual stream have gone out.
await_forwarded() { # PACKETS
  await 20 "the stream" has_forwarded "$1"
}
has_forwarded() {
  "$castgate" show --json | python3 -c '
import json, sys
sys.exit(json.load(sys.stdin)["streams"][0]["forwarded"] < int(sys.argv[1]))' "$1"
}

await_sender() {
  wait "$sender" || fail "the sender failed: $(tail -n 1 "$work/sender.log")"
  unset "background[$sender]"
  sleep 1 # what is held comes out
}

oracle() {
  python3 "$here/rtp_oracle.py" --leg "$work/red0.pcap,$leg_a" --leg "$work/blue0.pcap,$leg_b" \
    --out "$work/in0.pcap,$virtual" "$@"
}

# How many packets a stock receiver misses in the virtual stream.
tshark_lost() {
  tshark -r "$work/in0.pcap" -d udp.port==5000,rtp -q -z rtp,streams 2>/dev/null |
    awk '/RTPType|L16|0x0c057ca5/i {for (i = 1; i < NF; i++) if ($(i + 1) ~ /%\)/) print $i}'
}

# How many packets of a leg came in on an interface.
received_on() { # INTERFACE ADDRESS:PORT
  local capture=$work/$1.pcap,$2
  python3 "$here/rtp_oracle.py" --measure --leg "$capture" --out "$capture" | awk '{print $2}'
}
