#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A thousand clients with leases while a stream flows: reloads that change it lose no packet and no
# lease; a control thread that stands still for longer than a lease says so and expires nobody.
# After a crash who renews stays, and who does not is gone within one lease. Arguments: reloads
# (20), seconds of a lease (20), seconds that the thread stands still (24).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

reloads=${1:-20} lease=${2:-20} still=${3:-24}
rate=40
base=http://127.0.0.1:8080

two_paths 0
ip -n "${prefix}gate" address add 10.9.0.2/16 dev out0
mac=$(within dst cat /sys/class/net/in0/address)
two_path_pipeline "$work/scene.yaml"
python3 - "$work/scene.yaml" "$mac" "$lease" <<'PYTHON'
import pathlib, sys

file, mac, lease = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
hosts = ", ".join(f'10.9.{1 + n // 250}.{1 + n % 250}: "{mac}"' for n in range(1000))
text = file.read_text().replace("addresses: [10.9.0.2/24]}",
                                f"addresses: [10.9.0.2/16], neighbours: {{{hosts}}}}}")
file.write_text(text + f"""      homes: {{port: out, unicast: {{max_clients: 2000}}}}
doors:
  rest: {{listen: "127.0.0.1:8080", lease: {lease}s}}
""")
PYTHON
judge() { within gate python3 "$here/rest_judge.py" "$base" "$@"; }
clients() { "$castgate" show doors --json |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["clients"])'; }
all_are_there() { [[ $(clients) == 1000 ]]; }
# Exactly those whose ids a file has, a line each.
only() { # FILE
  "$castgate" show clients --json | python3 -c '
import json, sys
there = {one["id"] for one in json.load(sys.stdin)["clients"]}
sys.exit(there != set(open(sys.argv[1]).read().split()))' "$1"
}

capture dst in0
run_castgate gate "$work/scene.yaml"
judge hold news 1000 1 >"$work/held" || fail "a thousand clients could not join"
start src sender python3 "$here/rtp_send.py" --count $((rate * (still + 14))) --rate "$rate" \
  --leg "interface=a0,source=10.1.0.5,to=$leg_a" \
  --leg "interface=b0,source=10.2.0.5,to=$leg_b,delay_ms=2"
sender=$started
for ((n = 1; n <= reloads; n++)); do
  sed -i "s/max_skew: [0-9]*ms/max_skew: $((40 + n % 7))ms/" "$work/scene.yaml"
  kill -HUP "$gate"
  told() { [[ $(grep -c "SIGHUP: .* changed" "$work/castgate.log") -ge $n ]]; }
  await 5 "the word of reload $n" told
done
[[ $(clients) == 1000 ]] || fail "after $reloads reloads there are $(clients) clients"
judge renew news <"$work/held" || fail "a lease was lost by a reload"
begun=$SECONDS
python3 "$here/stall_threads.py" $((still * 1000)) "$gate" # the first thread is the control plane
((SECONDS - begun > lease)) || fail "the thread did not stand still for longer than a lease"
await 5 "word of the thread that was away" grep -q "control thread was away" "$work/castgate.log"
[[ $(clients) == 1000 ]] || fail "standing still cost leases: $(clients) are left"
away_ms=$(sed -n 's/.*control thread was away for \([0-9]*\) ms: leases end so much later/\1/p' \
  "$work/castgate.log" | sort -n | tail -n 1)
((${away_ms:-0} >= still * 1000)) || fail "the log tells of ${away_ms:-no} ms away, not $still s"
judge renew news <"$work/held" || fail "a lease was lost by standing still"
await_sender

judge renew news <"$work/held" || fail "a lease was lost at the stream's end"
sleep 0.3 # what is younger than a tenth of a second may be forgotten
kill -KILL "$gate"
end_process "$gate"
unset "background[$gate]"
run_castgate gate "$work/scene.yaml"
await 2 "a thousand clients after a crash" all_are_there
began=$(date +%s%N)
since() { echo $((($(date +%s%N) - began) / 1000000)); } # milliseconds
head -n 500 "$work/held" >"$work/stay"
renewed=$SECONDS
judge renew news <"$work/stay" || fail "who renews after a crash is gone"
until only "$work/stay"; do
  gone=$(since)
  ((gone <= lease * 1000)) || fail "$gone ms after a crash there are $(clients) clients, not 500"
  if ((SECONDS - renewed > lease / 4)); then
    renewed=$SECONDS
    judge renew news <"$work/stay" || fail "who renews after a crash is gone"
  fi
done
judge renew news <"$work/stay" || fail "who renews after a crash is gone"
only "$work/stay" || fail "others are there than those who renewed"
end_castgate
stop_captures

python3 - "$work/in0.pcap" $((rate * (still + 14))) <<'PYTHON' || fail "clients lost packets"
import collections, struct, sys

with open(sys.argv[1], "rb") as file:
    data = file.read()
at, wanted, got = 24, int(sys.argv[2]), collections.defaultdict(list)
while at < len(data):
    length, = struct.unpack_from("<I", data, at + 8)
    frame = at + 16
    if data[frame + 23] == 17 and data[frame + 30] == 10:
        got[data[frame + 30:frame + 34]].append(struct.unpack_from("!H", data, frame + 44)[0])
    at += 16 + length
numbers = [(60000 + n) & 0xffff for n in range(wanted)]
assert len(got) == 1000, f"{len(got)} clients"
wrong = [host for host, came in got.items() if came != numbers]
assert not wrong, f"{len(wrong)} clients, the first {list(wrong[0])}: {len(got[wrong[0]])} packets"
PYTHON
echo "1000 clients: 0 packets and 0 leases lost by $reloads reloads and a pause of $still s;" \
  "500 that did not renew after a crash were there for ${gone:-0} ms more"
