#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# join: on_demand: the groups of a stream are joined with its first client and left a while after
# its last one, on a port that Linux has and on the twin of one that it has not; over a reload and a
# restart as well. While nobody asks for the stream it raises no alarm.
source "$(dirname "$0")/lib.sh"

client=10.9.0.5:6000
namespace src gate dst
wire src a0 gate red0
wire src b0 gate blue0
wire gate out0 dst in0
ip -n "${prefix}gate" address add 10.1.0.2/24 dev red0
ip -n "${prefix}gate" address add 10.9.0.2/24 dev out0
ip -n "${prefix}dst" address add 10.9.0.5/24 dev in0

cat >"$work/scene.yaml" <<YAML
schema: 1
appliance: {name: demand, worker_cores: [1], control_core: 0, state_dir: $work/state,
            control_socket: $CASTGATE_SOCKET}
ports:
  red: {device: "net_af_packet0,iface=red0", addresses: [10.1.0.2/24]}
  blue: {device: "net_af_xdp0,iface=blue0", addresses: [10.2.0.2/24]}
  out: {device: "net_af_packet1,iface=out0", addresses: [10.9.0.2/24]}
streams:
  news:
    legs: {A: {port: red, from: 10.1.0.5, to: 239.1.0.1:5000}, B: {port: blue, to: 239.2.0.1:5002}}
    sequence: rtp
    join: on_demand
    linger: 4s
    failover: {max_skew: 50ms}
    outputs: {homes: {port: out, unicast: {}}}
  local:
    legs: {A: {port: red, to: 239.3.0.1:5000}}
    sequence: rtp
    outputs: {main: {port: out, to: "239.9.0.1:5000", source: 10.9.0.2}}
YAML

for link in a0 b0; do
  start src "tcpdump-$link" tcpdump -i "$link" -n -U -Z root -w "$work/$link.pcap" igmp
  captures+=("$started")
  await 5 "a capture" grep -q "listening on" "$work/tcpdump-$link.log"
done

is_joined() { # GROUP: on the kernel's own interface
  ip -n "${prefix}gate" maddress show dev red0 | grep -q "inet  $1\$"
}
is_left() { ! is_joined "$1"; }
# IGMPv3 records on the wire: was a group reported as joined, as left?
heard() { # LINK GROUP join|leave
  local kinds="to_ex|is_ex|is_in|allow"
  [[ $3 == join ]] || kinds="to_in|block"
  tcpdump -nvr "$work/$1.pcap" igmp 2>/dev/null | grep -qE "gaddr $2 ($kinds)"
}
flows() {
  [[ $("$castgate" show clients --json | python3 -c '
import json, sys
print(sum(one["packets"] for one in json.load(sys.stdin)["clients"]))') -gt 100 ]]
}

run_castgate gate "$work/scene.yaml"
start src sender python3 "$here/rtp_send.py" --count 60000 --rate 500 \
  --leg "interface=a0,source=10.1.0.5,to=239.1.0.1:5000" \
  --leg "interface=b0,source=10.2.0.5,to=239.2.0.1:5002"
sender=$started
await 5 "the stream that is always joined" is_joined 239.3.0.1
sleep 5 # longer than monitor.down_after
is_left 239.1.0.1 || fail "joined, though nobody asks"
for link in a0:239.1.0.1 b0:239.2.0.1; do
  ! heard "${link%:*}" "${link#*:}" join || fail "reported on ${link%:*}, though nobody asks"
done
"$castgate" show alarms >"$work/alarms"
grep -q "all_legs_down *local" "$work/alarms" || fail "no alarm of the stream that is missed"
! grep -q "news" "$work/alarms" || fail "an alarm of a stream that nobody asks for"

began=$(date +%s%N)
"$castgate" join news "$client" >/dev/null
await 2 "the group on red" is_joined 239.1.0.1
joined_ms=$((($(date +%s%N) - began) / 1000000))
await 5 "a report on a0" heard a0 239.1.0.1 join
await 5 "a report on b0" heard b0 239.2.0.1 join
await 5 "the stream" flows

"$castgate" leave news "$client" >/dev/null
sleep 1
is_joined 239.1.0.1 || fail "left before its time"
"$castgate" join news 10.9.0.6:6000 >/dev/null # in time
sed -i 's/max_skew: 50ms/max_skew: 60ms/' "$work/scene.yaml"
kill -HUP "$gate"
await 5 "a reload" grep -q "SIGHUP: 0 streams added, 0 removed, 1 changed" "$work/castgate.log"
sleep 5 # longer than the linger
is_joined 239.1.0.1 || fail "left, though a client is there"
for link in a0:239.1.0.1 b0:239.2.0.1; do
  ! heard "${link%:*}" "${link#*:}" leave || fail "a leave on ${link%:*}, though a client is there"
done

"$castgate" leave news 10.9.0.6:6000 >/dev/null
await 8 "the end of the membership" is_left 239.1.0.1
await 5 "a leave on a0" heard a0 239.1.0.1 leave
await 5 "a leave on b0" heard b0 239.2.0.1 leave
is_joined 239.3.0.1 || fail "the other stream was left as well"

end_castgate
run_castgate gate "$work/scene.yaml"
await 5 "the stream that is always joined" is_joined 239.3.0.1
is_left 239.1.0.1 || fail "joined after a restart, though nobody asks"
"$castgate" join news "$client" >/dev/null
await 2 "the group after a restart" is_joined 239.1.0.1
await 5 "the stream after a restart" flows
stop "$sender"
stop_captures
end_castgate
echo "joined $joined_ms ms after the first client, left after the last one's linger"
