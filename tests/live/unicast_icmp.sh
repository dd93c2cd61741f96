#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What Linux says of packets to clients by ICMP and ICMPv6, on a port that it has. A receiver that
# is killed is gone within a second; the way to another is narrower behind a router, so it gets
# fragments, or over IPv6 nothing, by name; forged errors change nothing, and who stays loses
# nothing.
#
#   src ── a0 ── red0 ── gate ── out0 ── in0 ── dst (a router) ── near0, MTU 1280 ── far0 ── far
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/one_path.sh"

one_path dst in0
namespace far
wire dst near0 far far0
host_in_net dst in0 9
host_in_net dst near0 8 1
host_in_net far far0 8
ip -n "${prefix}dst" link set near0 mtu 1280
ip -n "${prefix}far" link set far0 mtu 1280
within dst sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
  net.ipv4.icmp_ratelimit=1000 net.ipv6.icmp.ratelimit=1000
ip -n "${prefix}far" route add 10.9.0.0/24 via 10.8.0.1
ip -n "${prefix}far" route add 2001:db8:9::/64 via 2001:db8:8::1
ip -n "${prefix}gate" route add 10.8.0.0/24 via 10.9.0.5
ip -n "${prefix}gate" route add 2001:db8:8::/64 via 2001:db8:9::5

one_path_pipeline "$work/scene.yaml" icmp "too_big: fragment" kernel

# Of a client, as `show clients --json` has it; empty where it is none.
shown() { # ADDRESS:PORT FIELD
  "$castgate" show clients --json | python3 -c '
import json, sys
for one in json.load(sys.stdin)["clients"]:
    if one["address"] == sys.argv[1]:
        print(one[sys.argv[2]])' "$1" "$2"
}
flows() { [[ $(shown "$1" packets) -gt 200 ]]; }
is_gone() { [[ -z $(shown "$1" id) ]]; }
mtu_is() { [[ $(shown "$1" mtu) == "$2" ]]; }
counted() { # COUNTER
  "$castgate" show doors --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["icmp"][sys.argv[1]])' "$1"
}

steady=10.9.0.5:6000
mortals=(10.9.0.5:6001 "[2001:db8:9::5]:6001")
narrow=10.8.0.5:6000
narrow6="[2001:db8:8::5]:6000"
declare -A receivers
receive() { # NAMESPACE ADDRESS:PORT
  local address=${2%:*}
  address=${address#[}
  start "$1" "receiver-${2//[^0-9]/_}" python3 "$here/udp_gaps.py" "${address%]}" "${2##*:}" \
    "$work/${2//[^0-9]/_}.bytes"
  receivers[$2]=$started
}

run_castgate gate "$work/scene.yaml"
for client in "$steady" "${mortals[@]}"; do receive dst "$client"; done
for client in "$narrow" "$narrow6"; do receive far "$client"; done
for client in "${!receivers[@]}"; do "$castgate" join news "$client" >/dev/null; done
send_on_one_path 60000 500 --size 1316
for client in "$steady" "${mortals[@]}" "$narrow"; do
  await 20 "the stream at $client" flows "$client"
done
await 5 "the narrower way" mtu_is "$narrow" 1280
await 5 "the narrower way over IPv6" mtu_is "$narrow6" 1280
mtu_is "$steady" 1500 || fail "the way to $steady is narrower for no reason"

for client in "${mortals[@]}"; do
  kill -KILL "${receivers[$client]}"
  unset "background[${receivers[$client]}]"
  began=$(date +%s%N)
  await 3 "the end of $client" is_gone "$client"
  took=$((($(date +%s%N) - began) / 1000000))
  echo "$client: gone $took ms after its receiver was killed"
  ((took <= 1000)) || fail "$client was there for $took ms"
done
[[ $(counted clients_removed) == 2 ]] || fail "not two clients were removed"
grep -q "10.9.0.5:6001 of news.kernel: gone, nobody listens there (unreachable)" \
  "$work/castgate.log" || fail "the log does not say who went"
for client in "${mortals[@]}"; do
  [[ $(grep -F "\"address\":\"$client\"" "$work/events.jsonl" | grep '"event":"client_gone"' |
    grep -c '"stream":"news","output":"kernel".*"reason":"unreachable"') == 1 ]] ||
    fail "the event log does not have $client once: $(cat "$work/events.jsonl")"
done

before=$(counted forged)
within dst python3 - <<'PYTHON'
import random, socket, struct, time

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

random.seed(3)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
host, client = (socket.inet_aton(text) for text in ("10.9.0.2", "10.9.0.5"))
for number in range(400):
    unreachable = number % 2
    quote = struct.pack("!BBHHHBBH", 0x45, 0, 1356, number, 0x4000, 64, 17, 0) + host + client
    quote += struct.pack("!HHHH", 5000, 6000, 1336, random.randrange(1, 65536))
    quote += struct.pack("!BBHI", 0x80, 96, random.randrange(65536), 0)
    icmp = struct.pack("!BBHI", 3, 3 if unreachable else 4, 0, 0 if unreachable else 600) + quote
    raw.sendto(icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:], ("10.9.0.2", 0))
    time.sleep(0.005)
PYTHON
all_came() { (($(counted forged) - before >= 400)); }
await 5 "the forged errors" all_came
(($(counted forged) - before == 400)) || fail "$(counted forged) forged errors, $before before"
mtu_is "$steady" 1500 || fail "a forged error made the way to $steady narrower"
echo "400 forged errors were counted, and changed nothing"

[[ $(shown "$narrow6" packets) -lt 200 ]] || fail "too large packets went out over IPv6"
"$castgate" show clients --json >"$work/clients.json"
stop "$sender"
for client in "$steady" "$narrow" "$narrow6"; do stop "${receivers[$client]}"; done
end_castgate
ip_counter() { within "$1" nstat -asz "Ip$2" | awk -v name="Ip$2" '$1 == name {print $2}'; }
PYTHONPATH=$here python3 - "$work" "$steady" "$narrow" "$narrow6" \
  "$(ip_counter far ReasmOKs)" "$(ip_counter dst FragCreates)" \
  <<'PYTHON' || fail "a client did not get its due"
import json, pathlib, re, sys

from rtp_send import Made

work, steady, narrow, narrow6 = pathlib.Path(sys.argv[1]), *sys.argv[2:5]
assembled, fragmented = (int(count) for count in sys.argv[5:])


def name_of(client):
    return re.sub("[^0-9]", "_", client)


def got(client):
    return json.loads((work / f"receiver-{name_of(client)}.log").read_text())


def is_the_sources(client):
    """Byte for byte and in order what was sent, from the first one on that came."""
    source, first = Made(1316), (got(client)["first"] - 60000) & 0xffff
    sent = b"".join(source.payload(first + n) for n in range(got(client)["packets"]))
    return (work / f"{name_of(client)}.bytes").read_bytes() == sent


print(f"{steady}: {got(steady)['packets']} packets, {len(got(steady)['gaps'])} gaps;",
      f"{narrow}: {got(narrow)['packets']} packets, {len(got(narrow)['gaps'])} gaps")
assert got(steady)["packets"] > 1000 and not got(steady)["gaps"], got(steady)
# The receiver gets whole packets: its host puts the fragments together.
assert got(narrow)["packets"] > 1000 and not got(narrow)["gaps"], got(narrow)
assert assembled >= got(narrow)["packets"], (assembled, got(narrow)["packets"])
assert fragmented == 0, f"the router made {fragmented} fragments: castgate was to make them"
for client in (steady, narrow):
    assert is_the_sources(client), f"{client} got other bytes than were sent"
drops = {one["address"]: one["drops"] for one in json.loads(
    (work / "clients.json").read_text())["clients"]}
assert drops[narrow6]["mtu"] > 500 and not drops[narrow]["mtu"], drops
assert not any(drops[steady].values()), drops
PYTHON
