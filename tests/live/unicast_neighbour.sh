#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Next hops that no file names: Linux resolves them on a port of its own and on the twin of one that
# it has not, by ARP and by neighbour discovery. A MAC address that changes is followed within a
# second, announced or not; a client whose address nobody has holds up nobody.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/one_path.sh"

two_ports_to_clients
# Beyond a router, which only a route of the kernel's names.
ip -n "${prefix}dst" address add 192.0.2.5/32 dev lo
ip -n "${prefix}gate" route add 192.0.2.0/24 via 10.9.0.5 dev out0
# Each interface answers for its own addresses alone.
within dst sysctl -qw net.ipv4.conf.all.arp_ignore=1

one_path_pipeline "$work/scene.yaml" hops "" kernel twin

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
send_on_one_path 60000 1000
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
