#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Clients that join and leave a running appliance: one stays and loses nothing beyond what both
# paths lost, while others come and go, a file is read again and a stock receiver listens.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

packets=10000
steady=10.9.0.5:6000
passing=10.9.0.5:6001
two_paths 5
ip -n "${prefix}dst" address add 10.9.0.5/24 dev in0
mac=$(within dst cat /sys/class/net/in0/address)
two_path_pipeline "$work/scene.yaml"
python3 - "$work/scene.yaml" "$mac" <<'PYTHON'
import pathlib, sys

file, mac = pathlib.Path(sys.argv[1]), sys.argv[2]
text = file.read_text().replace("addresses: [10.9.0.2/24]}",
                                'addresses: [10.9.0.2/24], neighbours: {10.9.0.5: "%s"}}' % mac)
file.write_text(text + "      homes: {port: out, unicast: {max_clients: 100}}\n")
PYTHON
capture gate red0
capture gate blue0
capture dst in0

start dst receiver socat -u UDP-RECV:6000,rcvbuf=8000000 "CREATE:$work/steady.bytes"
receiver=$started
run_castgate gate "$work/scene.yaml"
[[ $("$castgate" join news "$steady") =~ ^"$steady news.homes: joined as "[0-9a-f]{32}$ ]] ||
  fail "no join"
"$castgate" join news 10.9.0.77:6000 >/dev/null # an address that nobody has
"$castgate" join news 192.0.2.1:6000 2>"$work/warned" >/dev/null
grep -q "is in no network of port out" "$work/warned" || fail "nobody says that 192.0.2.1 is far"
"$castgate" leave news 192.0.2.1:6000 >/dev/null
! "$castgate" join sports "$steady" 2>"$work/refused" || fail "an unknown stream was joined"
grep -q "there are: news.homes" "$work/refused" || fail "the known streams are not told"

send_on_two_paths "$packets" 4
await_forwarded 1000
"$castgate" join news.homes "$passing" >/dev/null
for turn in {1..100}; do # others come and go
  "$castgate" join news "10.9.0.5:$((7000 + turn))" >/dev/null
  [[ $turn -le 20 ]] || "$castgate" leave news "10.9.0.5:$((7000 + turn - 20))" >/dev/null
done
sed 's/max_skew: 50ms/max_skew: 60ms/' "$work/scene.yaml" >"$work/next.yaml"
cp "$work/next.yaml" "$work/scene.yaml"
kill -HUP "$gate"
await 5 "a reload" grep -q "SIGHUP: 0 streams added, 0 removed, 1 changed" "$work/castgate.log"
left=$("$castgate" leave news "$passing" --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["packets"])')

await_sender
"$castgate" show clients --json >"$work/clients.json"
end_castgate
stop_captures
oracle --header || fail "the group: packets were lost or changed"
python3 "$here/rtp_oracle.py" --header --leg "$work/red0.pcap,$leg_a" \
  --leg "$work/blue0.pcap,$leg_b" --out "$work/in0.pcap,$steady" || fail "the client that stays"
came=$(received_on in0 "$passing")
((left - came <= 1 && came - left <= 5)) || fail "who left: $left counted, $came came"
out=$(received_on in0 "$steady")
python3 - "$work/clients.json" "$out" "$steady" <<'PYTHON' || fail "show clients tells other counts"
import json, sys

clients = {one["address"]: one for one in json.load(open(sys.argv[1]))["clients"]}
assert len(clients) == 22, len(clients)
steady = clients[sys.argv[3]]
assert steady["packets"] == int(sys.argv[2]), (steady, sys.argv[2])
assert not any(steady["drops"].values()), steady
lost = clients["10.9.0.77:6000"]
assert lost["packets"] == 0 and lost["drops"]["no_neighbour"] == int(sys.argv[2]), lost
PYTHON
stop "$receiver"
bytes=$(stat -c %s "$work/steady.bytes")
((bytes % out == 0)) || fail "a stock receiver got $bytes bytes of $out packets"
echo "$out packets to the client that stayed, $bytes bytes to socat, $came to one that passed by"
