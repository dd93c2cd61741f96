#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Thousands of clients, more than a worker takes commands at a time: a reload that changes what
# their output sends has all of them again, and loses none. Argument: clients (4000).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

count=${1:-4000}
two_paths 0
ip -n "${prefix}gate" address add 10.9.0.2/16 dev out0
mac=$(within dst cat /sys/class/net/in0/address)
two_path_pipeline "$work/scene.yaml"
python3 - "$work/scene.yaml" "$mac" "$count" <<'PYTHON'
import pathlib, sys

file, mac, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
hosts = ", ".join(f'10.9.{1 + n // 250}.{1 + n % 250}: "{mac}"' for n in range(count))
text = file.read_text().replace("addresses: [10.9.0.2/24]}",
                                f"addresses: [10.9.0.2/16], neighbours: {{{hosts}}}}}")
file.write_text(text + """      homes: {port: out, ttl: 40, unicast: {max_clients: 5000}}
doors:
  rest: {listen: "127.0.0.1:8080"}
""")
PYTHON
clients() {
  "$castgate" show doors --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["clients"])'
}

run_castgate gate "$work/scene.yaml"
within gate python3 "$here/rest_judge.py" http://127.0.0.1:8080 hold news "$count" 1 \
  >"$work/held" || fail "$count clients could not join"
[[ $(clients) == "$count" ]] || fail "$(clients) clients joined"
sed -i "s/ttl: 40/ttl: 41/" "$work/scene.yaml"
kill -HUP "$gate"
await 20 "the word of the reload" grep -q "SIGHUP: .* 1 changed" "$work/castgate.log"
[[ $(clients) == "$count" ]] || fail "$(clients) of $count clients are left after a reload"
capture dst in0 "udp and net 10.9.0.0/16"
send_on_two_paths 20 1
await_sender
end_castgate
stop_captures
python3 - "$work/in0.pcap" "$count" <<'PYTHON' || fail "not every client got every packet"
import collections, struct, sys

data, got = open(sys.argv[1], "rb").read(), collections.Counter()
at, ttls = 24, set()
while at + 16 <= len(data):
    length = struct.unpack_from("<I", data, at + 8)[0]
    frame = data[at + 16:at + 16 + length]
    at += 16 + length
    if frame[30:32] == b"\x0a\x09":
        got[frame[30:34]] += 1
        ttls.add(frame[22])
assert ttls == {41}, ttls
assert len(got) == int(sys.argv[2]) and set(got.values()) == {20}, (len(got), set(got.values()))
PYTHON
echo "$count clients of an output that changed are all there, and got all 20 packets"
