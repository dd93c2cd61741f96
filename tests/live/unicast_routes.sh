#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Routes of the kernel's change while a stream flows: clients behind a router go to the next one
# within a second and lose nothing while the first one is there; a storm of other routes, or one
# that is deleted and added at once, moves nobody. A route that goes ends the packets, until it
# comes again.
#
#   src ── a0 ── red0 ── gate ── out0 ── hub (a switch) ── east0 ── east
#                                                       ── west0 ── west, both with the clients
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/one_path.sh"

one_path hub h0
namespace east west
wire hub h1 east east0
wire hub h2 west west0
bridge hub br0 flooding h0 h1 h2
for router in 5:east 6:west; do
  name=${router#*:}
  host_in_net "$name" "${name}0" 9 "${router%:*}"
  for client in 192.0.2.5 198.51.100.5 2001:db8:2::5; do
    ip -n "$prefix$name" address add "$client" dev lo
  done
done
route() { # ADD|REPLACE|DEL... PREFIX ROUTER
  ip -n "${prefix}gate" route "$1" "$2" via "$3" dev out0
}
route add 192.0.2.0/24 10.9.0.5
route add 198.51.100.0/24 10.9.0.5
route add 2001:db8:2::/64 2001:db8:9::5

one_path_pipeline "$work/scene.yaml" routes "" kernel

clients=(10.9.0.5:6000 192.0.2.5:6000 198.51.100.5:6000 "[2001:db8:2::5]:6000")
flows() {
  "$castgate" show clients --json | python3 -c '
import json, sys
sys.exit(not all(one["packets"] > 500 for one in json.load(sys.stdin)["clients"]))'
}
heard() { tcpdump -nr "$work/${1}0.pcap" dst host "$2" 2>/dev/null | wc -l; } # ROUTER CLIENT
comes_to() { (($(heard "$1" "$2") > $3)); }                                   # and PACKETS
lacks_a_way() { # ADDRESS:PORT PACKETS
  "$castgate" show clients --json | python3 -c '
import json, sys
lost = {one["address"]: one["drops"]["no_neighbour"] for one in json.load(sys.stdin)["clients"]}
sys.exit(lost[sys.argv[1]] < int(sys.argv[2]))' "$1" "$2"
}
moments=()
moment() { moments+=("$1=$(date +%s%N)"); }

run_castgate gate "$work/scene.yaml"
send_on_one_path 60000 1000
for client in "${clients[@]}"; do "$castgate" join news "$client" >/dev/null; done
await 20 "the stream" flows
capture east east0
capture west west0
"$castgate" show clients --json >"$work/before.json"
moment replaced
route replace 192.0.2.0/24 10.9.0.6
route replace 2001:db8:2::/64 2001:db8:9::6
for client in 192.0.2.5 2001:db8:2::5; do
  await 5 "$client at the new router" comes_to west "$client" 1000
done

moment storm
for net in {0..2999}; do
  echo "route add 172.$((16 + net / 256)).$((net % 256)).0/24 via 10.9.0.6 dev out0"
done | ip -n "${prefix}gate" -batch -
ip -n "${prefix}gate" address add 10.9.0.3/24 dev out0
route del 192.0.2.0/24 10.9.0.6
route add 192.0.2.0/24 10.9.0.6
sleep 1 # nobody is to move

moment deleted
route del 192.0.2.0/24 10.9.0.6
await 5 "packets that have no way" lacks_a_way 192.0.2.5:6000 500
had=$(heard east 192.0.2.5)
moment added
route add 192.0.2.0/24 10.9.0.5
await 5 "192.0.2.5 at its first router again" comes_to east 192.0.2.5 $((had + 100))
"$castgate" show clients --json >"$work/clients.json"
moment ended
stop_captures
stop "$sender"
end_castgate

python3 - "$work" "${moments[@]}" <<'PYTHON' || fail "a client was not followed"
import ipaddress, json, pathlib, struct, sys

work = pathlib.Path(sys.argv[1])
moments = {name: int(at) for name, at in (each.split("=") for each in sys.argv[2:])}


def packets(router):
    """(nanoseconds, client, RTP sequence number) of what came to a router."""
    data = (work / f"{router}0.pcap").read_bytes()
    at = 24
    while at + 16 <= len(data):
        seconds, nanoseconds, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        v6 = frame[12:14] == b"\x86\xdd"
        udp = 14 + (40 if v6 else 20)
        client = ipaddress.ip_address(frame[38:54] if v6 else frame[30:34])
        number = struct.unpack_from("!H", frame, udp + 10)[0]
        yield seconds * 10**9 + nanoseconds, str(client), number, router


came = {}
for one in sorted([*packets("east"), *packets("west")]):
    came.setdefault(one[1], []).append(one)


def of(client, begin, end):
    return [one for one in came[client] if moments[begin] <= one[0] < moments[end]]


def whole(some, client):
    lost = [(b[2] - a[2]) & 0xffff for a, b in zip(some, some[1:])]
    assert all(step == 1 for step in lost), f"{client}: steps {set(lost)}"


for client in ("192.0.2.5", "2001:db8:2::5"):
    moved = of(client, "replaced", "deleted")
    whole(moved, client)
    first = next(i for i, one in enumerate(moved) if one[3] == "west")
    took = (moved[first][0] - moments["replaced"]) / 1e6
    print(f"{client}: at the new router after {took:.0f} ms, {len(moved)} packets, none lost")
    assert took <= 1000, took
    assert all(one[3] == "west" for one in moved[first:]), f"{client} went to and fro"
for client in ("10.9.0.5", "198.51.100.5"):
    steady = of(client, "replaced", "ended")
    whole(steady, client)
    print(f"{client}: {len(steady)} packets at the same host, none lost")
    assert len(steady) > 2000 and all(one[3] == "east" for one in steady), client
without = of("192.0.2.5", "deleted", "added")
again = of("192.0.2.5", "added", "ended")
ended = (without[-1][0] - moments["deleted"]) / 1e6 if without else 0
began = (again[0][0] - moments["added"]) / 1e6
print(f"192.0.2.5: the last packet {ended:.0f} ms after its route went, the next {began:.0f} ms "
      "after one came")
assert ended <= 500 and began <= 1000 and all(one[3] == "east" for one in again)
whole(of("2001:db8:2::5", "deleted", "ended"), "2001:db8:2::5")


def drops(name):
    return {one["address"]: one["drops"]["no_neighbour"]
            for one in json.loads((work / f"{name}.json").read_text())["clients"]}


since = {client: count - drops("before")[client] for client, count in drops("clients").items()}
assert since.pop("192.0.2.5:6000") > 300, since
assert not any(since.values()), since
PYTHON
echo "changed routes were followed, and nobody else's packets were lost"
