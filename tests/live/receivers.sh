#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Three receivers of one stream by REST, a programme of a minute or so over a path that loses and
# one that does not: socat and castgate-node write the source's own bytes, ffmpeg reads the frames
# that it reads in the source's file. Argument: seconds (20).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

seconds=${1:-20}
base=http://10.9.0.2:8080/v1/streams/news/clients
node=${CASTGATE_NODE:-$(dirname "$castgate")/node/castgate-node}
command -v ffmpeg >/dev/null || { echo "ffmpeg is not installed" && exit 77; }

two_paths 0
lossy net na0 50
for host in 5 6 7; do ip -n "${prefix}dst" address add "10.9.0.$host/24" dev in0; done
mac=$(within dst cat /sys/class/net/in0/address)
two_path_pipeline "$work/scene.yaml"
python3 - "$work/scene.yaml" "$mac" <<'PYTHON'
import pathlib, sys

file, mac = pathlib.Path(sys.argv[1]), sys.argv[2]
hosts = ", ".join(f'10.9.0.{n}: "{mac}"' for n in (5, 6, 7))
file.write_text(file.read_text().replace("addresses: [10.9.0.2/24]}",
                                         f"addresses: [10.9.0.2/24], neighbours: {{{hosts}}}}}"))
PYTHON
cat >>"$work/scene.yaml" <<'YAML'
      homes: {port: out, unicast: {max_clients: 10}}
doors:
  rest: {listen: "10.9.0.2:8080", allow: [10.9.0.0/24]}
YAML
ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=720x576:rate=25 -f lavfi -i sine=1000 \
  -t "$seconds" -c:v mpeg2video -b:v 5M -maxrate 5M -bufsize 2M -c:a mp2 -f mpegts \
  -muxrate 7M "$work/source.ts"
packets=$((($(stat -c %s "$work/source.ts") + 1315) / 1316))

frames=(-map 0 -c copy -copyinkf -f framemd5)

run_castgate gate "$work/scene.yaml"
start dst socat socat -u UDP-RECV:6005,rcvbuf=8000000 "CREATE:$work/socat.bytes"
socat=$started
start dst ffmpeg ffmpeg -nostdin -v warning -analyzeduration 1M -probesize 1M \
  -i 'rtp://10.9.0.6:6006?buffer_size=8000000' -t $((seconds - 1)) \
  "${frames[@]}" -y "$work/ffmpeg.frames"
ffmpeg=$started
start dst node "$node" receive rest://10.9.0.2:8080/news --to "file:$work/node.ts" --json
receiver=$started

# Neither can answer a proof, so each has an address of its own.
curl_from() { within dst curl -sSf --interface "$@"; } # ADDRESS ARGUMENT...
declare -A ids
for host in 5 6; do
  curl_from "10.9.0.$host" "$base" -d "{\"udp_port\": 600$host}" -o "$work/joined" ||
    fail "no join by curl"
  ids[$host]=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["id"])' \
    "$work/joined") || fail "joining: $(cat "$work/joined")"
done
here_all() { "$castgate" show clients --json | python3 -c '
import json, sys
sys.exit(len(json.load(sys.stdin)["clients"]) != 3)'; }
await 10 "three clients" here_all

start src sender python3 "$here/rtp_send.py" --count "$packets" --file "$work/source.ts" \
  --rate $((packets / seconds)) --leg "interface=a0,source=10.1.0.5,to=$leg_a" \
  --leg "interface=b0,source=10.2.0.5,to=$leg_b,delay_ms=3"
sender=$started
while kill -0 "$sender" 2>/dev/null; do
  for host in 5 6; do
    curl_from "10.9.0.$host" -o /dev/null -X PUT "$base/${ids[$host]}" -d '{}' ||
      fail "a lease was not renewed"
  done
  sleep 5
done
await_sender
for pid in "$socat" "$receiver"; do stop "$pid"; done
gone() { ! kill -0 "$1"; }
await 10 "the end of ffmpeg" gone "$ffmpeg"
end_castgate

ffmpeg -nostdin -v error -i "$work/source.ts" "${frames[@]}" "$work/source.frames"
python3 - "$work" "$packets" "$seconds" <<'PYTHON' || fail "a receiver has not the source's own"
import json, pathlib, sys

work, (packets, seconds) = pathlib.Path(sys.argv[1]), map(int, sys.argv[2:])
source = (work / "source.ts").read_bytes()
stock = (work / "socat.bytes").read_bytes()
payloads = b"".join(stock[at + 12:at + 1328] for at in range(0, len(stock), 1328))
assert payloads == source, f"socat: {len(payloads)} bytes of {len(source)}"
written = (work / "node.ts").read_bytes()
assert written == source, f"castgate-node: {len(written)} bytes of {len(source)}"
told = [json.loads(line) for line in (work / "node.log").read_text().splitlines()][-1]
assert told["summary"] and told["lost"] == 0 and told["packets"] == packets, told


def frames(file):
    """{stream: [(size, md5)]}"""
    found = {}
    for line in (work / file).read_text().splitlines():
        if not line.startswith("#"):
            stream, _, _, _, size, digest = (word.strip() for word in line.split(",")[:6])
            found.setdefault(stream, []).append((size, digest))
    return found


made, seen = frames("source.frames"), frames("ffmpeg.frames")
assert made.keys() == seen.keys() and len(made) == 2, (made.keys(), seen.keys())
for stream, all_of_it in made.items():
    # It spends the first packet on learning the payload type, and leaves before the end.
    first, got = all_of_it.index(seen[stream][0]), len(seen[stream])
    assert first <= 1, (stream, first)
    assert got >= len(all_of_it) * (seconds - 2) / seconds, (stream, got, len(all_of_it))
    assert seen[stream] == all_of_it[first:first + got], stream
PYTHON
echo "$packets packets in $seconds s: socat, ffmpeg and castgate-node have the source's own"
