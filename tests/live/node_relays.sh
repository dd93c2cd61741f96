#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# castgate-node at two appliances that carry one stream: both prove its address and serve it, one is
# killed in the middle, and what the node hands on is the stream, whole and in order.
#
#   src ── a0 ── in1 [relay1] out1 ── n1 ┐
#    │                                    ├ node ── udp://127.0.0.1:7000
#    └──── b0 ── in2 [relay2] out2 ── n2 ┘
#
# Argument: seconds (20).
source "$(dirname "$0")/lib.sh"

node=${CASTGATE_NODE:-$(dirname "$castgate")/node/castgate-node}
[[ -x $node ]] || fail "no program at $node: build first"
seconds=${1:-20}
packets=$((seconds * 1000))
group=239.1.0.1:5000
namespace src relay1 relay2 node
wire src a0 relay1 in1
wire src b0 relay2 in2
wire relay1 out1 node n1
wire relay2 out2 node n2
ip -n "${prefix}relay1" address add 10.11.0.2/24 dev in1
ip -n "${prefix}relay2" address add 10.12.0.2/24 dev in2
ip -n "${prefix}relay1" address add 10.1.0.1/24 dev out1
ip -n "${prefix}relay2" address add 10.2.0.1/24 dev out2
ip -n "${prefix}node" address add 10.1.0.2/24 dev n1
ip -n "${prefix}node" address add 10.2.0.2/24 dev n2

relay() { # NUMBER
  cat >"$work/relay$1.yaml" <<YAML
schema: 1
appliance: {name: relay$1, worker_cores: [$(($1 - 1))], control_core: $((2 - $1)),
  state_dir: $work/state$1, control_socket: $work/relay$1.sock}
doors: {rest: {listen: "10.$1.0.1:8080", allow: [10.$1.0.0/24]}}
ports:
  in: {device: "net_af_packet0,iface=in$1", addresses: [10.1$1.0.2/24]}
  out: {device: "net_af_packet1,iface=out$1", addresses: [10.$1.0.1/24]}
streams:
  news:
    legs: {A: {port: in, to: "$group"}}
    sequence: rtp
    outputs: {homes: {port: out, unicast: {max_clients: 10}}}
YAML
  start "relay$1" "castgate$1" env CASTGATE_SOCKET="$work/relay$1.sock" "$castgate" run \
    "$work/relay$1.yaml"
  relays[$1]=$started
  await 20 "relay $1" env CASTGATE_SOCKET="$work/relay$1.sock" "$castgate" show streams
}

declare -A relays
relay 1
relay 2
capture relay1 in1
capture relay2 in2
capture node lo
start node receive "$node" receive rest://10.1.0.1:8080/news rest://10.2.0.1:8080/news \
  --to udp://127.0.0.1:7000 --max-skew 200ms --json
receiver=$started
serves() { # NUMBER
  env CASTGATE_SOCKET="$work/relay$1.sock" "$castgate" show clients --json |
    grep -q '"door": "rest"'
}
await 10 "the node at relay 1" serves 1
await 10 "the node at relay 2" serves 2
start src sender python3 "$here/rtp_send.py" --count "$packets" --rate 1000 \
  --leg "interface=a0,source=10.11.0.5,to=$group" \
  --leg "interface=b0,source=10.12.0.5,to=$group,delay_ms=4"
sender=$started
# So many packets that the node handed on, as it tells.
has_handed_on() { # PACKETS
  tail -n 1 "$work/receive.log" | python3 -c '
import json, sys
sys.exit(json.load(sys.stdin)["packets"] < int(sys.argv[1]))' "$1"
}
await $((2 * seconds)) "half of the stream" has_handed_on $((packets / 2))
kill -KILL "${relays[1]}"
end_process "${relays[1]}"
unset "background[${relays[1]}]"
wait "$sender" || fail "the sender failed: $(tail -n 1 "$work/sender.log")"
unset "background[$sender]"
await 20 "the whole stream" has_handed_on "$packets"
kill -TERM "$receiver"
result=0
wait "$receiver" || result=$?
unset "background[$receiver]"
[[ $result -eq 0 ]] || fail "castgate-node ended with $result: $(tail -n 1 "$work/receive.log")"
! serves 2 || fail "relay 2 was not told that the node leaves"
stop_captures
python3 "$here/rtp_oracle.py" --leg "$work/in1.pcap,$group" --leg "$work/in2.pcap,$group" \
  --out "$work/lo.pcap,127.0.0.1:7000" || fail "what the node handed on is not the stream"
python3 - "$work/receive.log" "$packets" <<'PYTHON'
import json, sys

last = [json.loads(line) for line in open(sys.argv[1])][-1]
assert last["summary"] and last["lost"] == 0 and last["packets"] == int(sys.argv[2]), last
first, second = (one["packets"] for one in last["relays"])
assert 0.2 * second < first < 0.8 * second, (first, second)
print(f"{last['packets']} packets, {first} and {second} of the relays, 0 lost")
PYTHON
