#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How memberships are held: through TAP twins (cases of membership_test), and on an interface of the
# kernel's behind a snooping switch, whose querier falls silent: then our own reports must go on.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=${MEMBERSHIP_TEST:-$here/../../build-test/tests/live/membership_test}
if [[ $(id -u) -ne 0 ]]; then
  echo "network namespaces need root"
  exit 77
fi
[[ -x $program ]] || { echo "no program at $program: build first"; exit 1; }

space=${CG_SCENE_PREFIX:-cg}$$member
net=${space}net
work=$(mktemp -d)
pids=()
end_scene() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || continue; done
  ip netns del "$space" 2>/dev/null || true
  ip netns del "$net" 2>/dev/null || true
  rm -rf "$work"
}
trap end_scene EXIT
trap 'exit 130' INT TERM HUP
fail() {
  echo "$*"
  exit 1
}

timeout 60 "$program" >"$work/twin.log" 2>&1 || { cat "$work/twin.log"; fail "cases on a twin"; }

ip netns add "$space"
ip netns add "$net"
ip -n "$space" link add red0 type veth peer name nr0 netns "$net"
ip -n "$net" link add br0 type bridge mcast_snooping 1 mcast_querier 1 mcast_igmp_version 3 \
  mcast_mld_version 2 mcast_startup_query_interval 100 mcast_query_interval 200 \
  mcast_query_response_interval 100
ip -n "$net" link set nr0 master br0
for link in br0 nr0; do ip -n "$net" link set "$link" up; done
ip -n "$space" address add 10.1.0.2/24 dev red0
ip -n "$space" link set red0 up

ip netns exec "$net" tcpdump -i nr0 -n -U -Z root -w "$work/wire.pcap" "igmp or ip6" \
  >"$work/tcpdump.log" 2>&1 &
pids+=($!)
for _ in {1..50}; do
  grep -qs "listening on" "$work/tcpdump.log" && break
  sleep 0.1
done
ip netns exec "$space" "$program" kernel red0 40 >"$work/kernel.log" 2>&1 &
pids+=($!)
sleep 6 # the querier is heard
grep -q joined "$work/kernel.log" || { cat "$work/kernel.log"; fail "no membership"; }

# A group is in the switch's table, from the source asked for.
ip netns exec "$net" bridge -d mdb show dev br0 >"$work/mdb"
grep -q "239.1.0.1" "$work/mdb" || { cat "$work/mdb"; fail "the switch does not know 239.1.0.1"; }

ip -n "$net" link set br0 type bridge mcast_querier 0
silent=$(date +%s)
sleep 14
kill "${pids[0]}"
wait "${pids[0]}" 2>/dev/null || true

reports() { # FILTER FIELD
  tshark -r "$work/wire.pcap" -Y "$1" -T fields -E aggregator=+ -e "$2" 2>/dev/null | sort -u
}
reports "igmp.type == 0x22 && igmp.maddr == 239.1.0.1" igmp.saddr | grep -q 10.1.0.5 ||
  fail "no IGMPv3 report names the source"
[[ $(tshark -r "$work/wire.pcap" -Y "igmp.type == 0x16" 2>/dev/null | wc -l) -eq 0 ]] ||
  fail "a report of version 2"
after() { # FILTER: packets that came 3 s and more after the querier fell silent
  tshark -r "$work/wire.pcap" -Y "$1 && frame.time_epoch > $((silent + 3))" 2>/dev/null | wc -l
}
queries=$(after "igmp.type == 0x11")
refreshed=$(after "igmp.type == 0x22 && igmp.maddr == 239.1.0.1 && igmp.maddr == 239.1.0.2 \
  && igmp.record_type == 1 && igmp.record_type == 2 && igmp.checksum.status == 1")
refreshed6=$(after "icmpv6.type == 143 && icmpv6.mldr.mar.multicast_address == ff3e::1 \
  && icmpv6.checksum.status == 1 && ipv6.hopopts")
[[ $queries -eq 0 ]] || fail "the querier did not fall silent: $queries queries"
[[ $refreshed -ge 3 ]] || fail "$refreshed IGMP reports in 11 s without a querier"
[[ $refreshed6 -ge 1 ]] || fail "no MLD report without a querier"
echo "twins: $(grep -c '       OK' "$work/twin.log") cases; without a querier $refreshed IGMP and" \
  "$refreshed6 MLD reports in 11 s"
