#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What leaves, as tshark reads it: addresses, ports, TTL, DSCP, VLAN tags and every checksum, for
# outputs untagged, in a VLAN and in QinQ, over IPv4 and IPv6; legs arrive in VLAN and QinQ too.
source "$(dirname "$0")/lib.sh"

count=2000
namespace src gate dst
wire src a0 gate red0
wire src b0 gate blue0
wire gate out0 dst in0
ip -n "${prefix}gate" address add 10.1.0.2/24 dev red0
ip -n "${prefix}gate" address add 10.2.0.2/24 dev blue0
ip -n "${prefix}gate" address add 10.9.0.2/24 dev out0
for port in red0 blue0 out0; do ip -n "${prefix}gate" link set "$port" promisc on; done
mac=$(within gate cat /sys/class/net/out0/address)

cat >"$work/scene.yaml" <<YAML
schema: 1
appliance: {worker_cores: [1], control_core: 0, state_dir: $work/state,
            control_socket: $CASTGATE_SOCKET}
ports:
  red: {device: "net_af_packet0,iface=red0", addresses: [10.1.0.2/24]}
  blue: {device: "net_af_packet1,iface=blue0", addresses: [10.2.0.2/24]}
  out: {device: "net_af_packet2,iface=out0", addresses: [10.9.0.2/24]}
streams:
  four:
    legs:
      A: {port: red, vlan: 43, to: "239.1.0.1:5000"}
      B: {port: blue, vlan: 100.43, to: "239.2.0.1:5002"}
    sequence: rtp
    outputs:
      plain: {port: out, to: "239.9.0.1:5000", source: 10.9.0.9, ttl: 5, dscp: 46}
      tagged: {port: out, vlan: 7, to: "239.9.0.2:6000", source: 10.9.0.9, source_port: 7000}
      stacked: {port: out, vlan: 200.8, to: "239.9.0.3:5000", source: 10.9.0.9, ttl: decrement}
  six:
    legs:
      A: {port: red, to: "[ff3e::1]:5000"}
      B: {port: blue, to: "[ff3e::2]:5000"}
    sequence: rtp
    outputs:
      plain: {port: out, to: "[ff3e::9]:5000", source: "fd00::9", ttl: 6}
      tagged: {port: out, vlan: 7, to: "[ff3e::a]:5000", source: "fd00::9"}
YAML

capture dst in0
run_castgate gate "$work/scene.yaml"
start src four python3 "$here/rtp_send.py" --count "$count" --rate 1000 --size 1000 \
  --leg interface=a0,vlan=43,source=10.1.0.5,to=239.1.0.1:5000,ttl=9 \
  --leg interface=b0,vlan=100.43,source=10.2.0.5,to=239.2.0.1:5002,ttl=9
four=$started
start src six python3 "$here/rtp_send.py" --count "$count" --rate 1000 --size 1001 \
  --leg interface=a0,source=fd00:1::5,to=[ff3e::1]:5000 \
  --leg interface=b0,source=fd00:2::5,to=[ff3e::2]:5000
six=$started
for sender in "$four" "$six"; do
  wait "$sender" || fail "a sender failed: $(tail -n 1 "$work"/four.log "$work"/six.log)"
  unset "background[$sender]"
done
sleep 1
end_castgate
stop_captures

# Every packet of an output reads alike: one line, seen COUNT times. A field that a packet does not
# have is empty; checksum status 1 is "good".
fields=(eth.src eth.dst ieee8021ad.id vlan.id ip.src ip.dst ip.ttl ip.dsfield.dscp
  ip.checksum.status ipv6.src ipv6.dst ipv6.hlim udp.srcport udp.dstport udp.checksum.status)
tshark -r "$work/in0.pcap" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields \
  -E separator='|' "${fields[@]/#/-e}" >"$work/lines" 2>"$work/tshark.log" ||
  fail "tshark could not read what left"
sort "$work/lines" | uniq -c | sed 's/^ *//' | sort >"$work/found"
sort >"$work/wanted" <<LINES
$count $mac|01:00:5e:09:00:01|||10.9.0.9|239.9.0.1|5|46|1||||5000|5000|1
$count $mac|01:00:5e:09:00:02||7|10.9.0.9|239.9.0.2|16|0|1||||7000|6000|1
$count $mac|01:00:5e:09:00:03|200|8|10.9.0.9|239.9.0.3|8|0|1||||5000|5000|1
$count $mac|33:33:00:00:00:09||||||||fd00::9|ff3e::9|6|5000|5000|1
$count $mac|33:33:00:00:00:0a||7||||||fd00::9|ff3e::a|16|5000|5000|1
LINES
diff "$work/wanted" "$work/found" || fail "an output differs from what the pipeline asks for"
echo "five outputs of $count packets, each as asked for, every checksum right"
