#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Next hops that no file names: Linux resolves them on a port of its own and on the twin of one that
# it has not, by ARP and by neighbour discovery. A MAC address that changes is followed within a
# second, announced or not; a client whose address nobody has holds up nobody.
source "$(dirname "$0")/lib.sh"

namespace src gate dst
wire src a0 gate red0
wire gate out0 dst in0
wire gate out1 dst in1
ip -n "${prefix}gate" address add 10.1.0.2/24 dev red0
ip -n "${prefix}gate" address add 10.9.0.2/24 dev out0
ip -n "${prefix}gate" address add 2001:db8:9::2/64 dev out0
for net in 9:in0 8:in1; do
  ip -n "${prefix}dst" address add "10.${net%:*}.0.5/24" dev "${net#*:}"
  ip -n "${prefix}dst" address add "2001:db8:${net%:*}::5/64" dev "${net#*:}"
done
# Beyond a router, which only a route of the kernel's names.
ip -n "${prefix}dst" address add 192.0.2.5/32 dev lo
ip -n "${prefix}gate" route add 192.0.2.0/24 via 10.9.0.5 dev out0
# Each interface answers for its own addresses alone.
within dst sysctl -qw net.ipv4.conf.all.arp_ignore=1

cat >"$work/scene.yaml" <<YAML
schema: 1
appliance: {name: hops, worker_cores: [1], control_core: 0, state_dir: $work/state,
            control_socket: $CASTGATE_SOCKET}
ports:
  red: {device: "net_af_packet0,iface=red0", addresses: [10.1.0.2/24]}
  kernel: {device: "net_af_packet1,iface=out0", addresses: [10.9.0.2/24, "2001:db8:9::2/64"]}
  twin: {device: "net_af_xdp0,iface=out1", addresses: [10.8.0.2/24, "2001:db8:8::2/64"]}
streams:
  news:
    legs: {A: {port: red, to: 239.1.0.1:5000}}
    sequence: rtp
    outputs:
      kernel: {port: kernel, unicast: {}}
      twin: {port: twin, unicast: {}}
YAML

declare -A receivers
clients=(kernel:10.9.0.5 kernel:192.0.2.5 kernel:2001:db8:9::5 twin:10.8.0.5 twin:2001:db8:8::5)
nobody=(kernel:10.9.0.77 kernel:2001:db8:9::77 twin:10.8.0.77 twin:2001:db8:8::77)
join() { # OUTPUT:ADDRESS
  local address=${1#*:}
  [[ $address != *:* ]] || address="[$address]"
  "$castgate" join "news.${1%%:*}" "$address:6000" >>"$work/joined.log" 2>&1
}

# Every client that is there has had so many packets.
flows() { # PACKETS
  "$castgate" show clients --json | python3 -c '
import json, sys
clients = [one for one in json.load(sys.stdin)["clients"] if "77" not in one["address"]]
sys.exit(not all(one["packets"] > int(sys.argv[1]) for one in clients))' "$1"
}

run_castgate gate "$work/scene.yaml"
for client in "${clients[@]}"; do
  start dst "receiver-${client//:/_}" python3 "$here/udp_gaps.py" "${client#*:}" 6000
  receivers[$client]=$started
done
start src sender python3 "$here/rtp_send.py" --count 60000 --rate 1000 \
  --leg "interface=a0,source=10.1.0.5,to=239.1.0.1:5000"
sender=$started
for client in "${nobody[@]}" "${clients[@]}"; do join "$client"; done
! grep warning "$work/joined.log" || fail "a next hop cannot be resolved"
await 20 "the stream" flows 2000
for change in silent announced; do
  if [[ $change == announced ]]; then
    for link in in0 in1; do
      within dst sysctl -qw "net.ipv4.conf.$link.arp_notify=1" "net.ipv6.conf.$link.ndisc_notify=1"
    done
  fi
  for link in 1:in0 2:in1; do
    ip -n "${prefix}dst" link set "${link#*:}" address "02:00:00:0${#change}:00:0${link%:*}"
  done
  sleep 3
done
stop "$sender"
sleep 1
"$castgate" show clients --json >"$work/clients.json"
for client in "${clients[@]}"; do stop "${receivers[$client]}"; done
end_castgate

python3 - "$work" "${clients[@]}" <<'PYTHON' || fail "a client was not followed"
import json, pathlib, sys

work = pathlib.Path(sys.argv[1])
for client in sys.argv[2:]:
    got = json.loads((work / f"receiver-{client.replace(':', '_')}.log").read_text())
    gaps = ", ".join("%.3f s" % gap["seconds"] for gap in got["gaps"]) or "none"
    print(f"{client}: {got['packets']} packets, gaps: {gaps}")
    assert got["packets"] > 6000, client
    assert 1 <= len(got["gaps"]) <= 2, f"{client}: one gap for each change at most, one at least"
    assert all(gap["seconds"] <= 1 for gap in got["gaps"]), f"{client}: longer than a second"
for one in json.loads((work / "clients.json").read_text())["clients"]:
    unknown = "77:" in one["address"].replace("]", "")
    assert (one["packets"] == 0) == unknown, one
    assert (one["drops"]["no_neighbour"] > 6000) == unknown, one
PYTHON
echo "a changed MAC address was followed on every network; nobody's address held up nobody"
