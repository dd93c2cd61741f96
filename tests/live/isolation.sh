#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Clients with keys of their own that join late: castgate-node, which is told its key over TLS, and
# ffmpeg, which knows no roll-over counter but 0, with the key that curl was told. Each hears the
# source's own samples from there on. The key that curl was told is in nothing that castgate writes,
# tells or captures, nor in memory of it that a core dump would have, while the client is there and
# when it has left. Without TLS nobody is told a key. Argument: seconds (8).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/one_path.sh"

node=${CASTGATE_NODE:-$(dirname "$castgate")/node/castgate-node}
[[ -x $node ]] || fail "no program at $node: build first"
command -v ffmpeg >/dev/null || { echo "ffmpeg is not installed" && exit 77; }
packets=$((${1:-8} * 1000))

one_path dst in0
host_in_net dst in0 9
one_path_pipeline "$work/scene.yaml" isolated "" kernel
sed -i '/^    outputs:/,$d' "$work/scene.yaml"
cat >>"$work/scene.yaml" <<YAML
    outputs:
      lan: {port: kernel, to: "239.9.0.1:5000", source: 10.9.0.2}
      homes: {port: kernel, unicast: {},
              protect: {profile: srtp_cm, isolation: per_client, key_file: cm.key}}
doors:
  rest: {listen: "10.9.0.2:8443", allow: [10.9.0.0/24],
         tls: {cert: $work/cert.pem, key: $work/key.pem}}
YAML
(umask 077 && openssl rand -hex 30 >"$work/cm.key")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
  -subj /CN=castgate -addext subjectAltName=IP:10.9.0.2 \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/openssl.log"
chmod 600 "$work/key.pem"

run_castgate gate "$work/scene.yaml"
capture dst in0
# 64000 is the first number: the source's own wrap comes before they join.
send_on_one_path "$packets" 1000 --first 64000
has_wrapped() {
  "$castgate" show --json | python3 -c '
import json, sys
sys.exit(json.load(sys.stdin)["streams"][0]["forwarded"] < 2000)'
}
await 20 "the source's wrap" has_wrapped
# Without a proof an address may have one client: curl is the first there.
within dst curl -sS --fail-with-body --cacert "$work/cert.pem" -d '{"udp_port": 6002}' \
  https://10.9.0.2:8443/v1/streams/news/clients -o "$work/joined" ||
  fail "no join by curl: $(cat "$work/joined")"
start dst node "$node" receive rests://10.9.0.2:8443/news --ca "$work/cert.pem" \
  --listen 10.9.0.5:6000 --payload media --to "file:$work/node.pcm"
receiver=$started
python3 - "$work/joined" "$work/stream.sdp" <<'PYTHON' || fail "told: $(cat "$work/joined")"
import json
import sys

told = json.load(open(sys.argv[1]))["protect"]
assert told["roc"] == 0 and told["suite"] == "AES_CM_128_HMAC_SHA1_80", told
open(sys.argv[2], "w").write(f"""v=0
o=- 1 1 IN IP4 10.9.0.2
s=news
c=IN IP4 10.9.0.5
t=0 0
m=audio 6002 RTP/SAVP 96
a=rtpmap:96 L16/48000/1
a=crypto:1 {told['suite']} inline:{told['key']}
""")
PYTHON
start dst ffmpeg ffmpeg -nostdin -loglevel warning -protocol_whitelist file,udp,rtp,srtp \
  -i "$work/stream.sdp" -c copy -flush_packets 1 -f s16be "$work/ffmpeg.pcm"
player=$started

# All that castgate says of itself and its clients, and its memory.
search() { # LABEL
  {
    "$castgate" show streams && "$castgate" show streams --json && "$castgate" show clients &&
      "$castgate" show clients --json && "$castgate" show metrics && "$castgate" show --json
  } >"$work/told-$1.txt" 2>&1 || fail "show: $(tail -n 1 "$work/told-$1.txt")"
  "$castgate" capture --stage restamp,transmit --seconds 1 -o "$work/told-$1.pcapng" \
    >>"$work/told-$1.txt" 2>&1 || fail "capture: $(tail -n 1 "$work/told-$1.txt")"
  python3 "$here/find_secrets.py" --pid "$gate" \
    --told "$work/castgate.log" "$work/events.jsonl" "$work"/told-"$1"* "$work"/state/* \
    --key "$work/client.key" "$work/cm.key" >"$work/found-$1.txt" ||
    fail "$1: $(head -n 3 "$work/found-$1.txt")"
}
(umask 077 && python3 -c 'import json, sys; print(json.load(sys.stdin)["protect"]["key"])' \
  <"$work/joined" >"$work/client.key")
search joined
wait "$sender" || fail "the sender failed: $(tail -n 1 "$work/sender.log")"
unset "background[$sender]"
sleep 2 # what is held, and what players hold
"$castgate" show clients --json >"$work/shown.json"
stop "$receiver"
stop "$player"
"$castgate" leave news 10.9.0.5:6002 >"$work/left.txt" 2>&1 ||
  fail "leave: $(cat "$work/left.txt")"
search left
end_castgate
stop_captures

python3 - "$work" "$here" "$packets" <<'PYTHON' || fail "ffmpeg: $(tail -n 2 "$work/ffmpeg.log")"
import json
import pathlib
import sys

work, here, packets = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, str(here.parents[1] / "pcaps"))
import capture_file

groups = {}
for _, frame in capture_file.read_pcap(work / "in0.pcap"):
    if frame[12:14] == b"\x08\0" and frame[23] == 17:
        to = bytes(frame[30:34]), int.from_bytes(frame[36:38], "big")
        groups.setdefault(to, []).append(bytes(frame[42:]))
clear = [packet[12:] for packet in groups[bytes((239, 9, 0, 1)), 5000]]
assert len(clear) == packets, f"{len(clear)} packets in the clear"
sound = b"".join(clear)
for name in ("node", "ffmpeg"):
    heard = (work / f"{name}.pcm").read_bytes()
    assert len(heard) > len(sound) // 4, f"{name} heard {len(heard)} octets"
    at = sound.find(heard[:9600])
    differs = next((n for n in range(0, len(heard), 96)
                    if heard[n:n + 96] != sound[at + n:at + n + 96]), None)
    assert sound.endswith(heard), \
        f"{name}: {len(heard)} octets, from {at} of {len(sound)} on; other ones at {differs}"
for port in (6000, 6002):
    sealed = groups[bytes((10, 9, 0, 5)), port]
    numbers = [int.from_bytes(packet[2:4], "big") for packet in sealed if packet[0] >> 6 == 2]
    assert numbers == list(range(len(numbers))) and numbers, f"numbers of {port}"
    joined = b"".join(sealed)
    assert not any(payload in joined for payload in clear[::50]), f"{port} got clear packets"
assert "HMAC" not in (work / "ffmpeg.log").read_text(), "ffmpeg could not open all"
key = json.loads((work / "joined").read_text())["protect"]["key"]
written = [path for path in work.rglob("*") if path.is_file() and path.name not in
           ("joined", "stream.sdp", "client.key") and key.encode() in path.read_bytes()]
assert not written, f"a client's key is in {written}"
PYTHON

# In the clear: a door for others than this host tells no key.
sed -i '/^         tls:/d; s/allow: .*,$/allow: [10.9.0.0\/24]}/' "$work/scene.yaml"
! "$castgate" check --offline "$work/scene.yaml" 2>"$work/told" || fail "keys in the clear are good"
grep -q "doors.rest.tls" "$work/told" || fail "the cure is not told: $(cat "$work/told")"
sed -i 's/listen: "10.9.0.2:/listen: "0.0.0.0:/' "$work/scene.yaml"
run_castgate gate "$work/scene.yaml"
code=$(within dst curl -s -o "$work/refused" -w '%{http_code}' \
  http://10.9.0.2:8443/v1/streams/news/clients -d '{"udp_port": 6004}')
[[ $code == 4* ]] || fail "a join in the clear: $code $(cat "$work/refused")"
grep -q '"key"' "$work/refused" && fail "a key was told in the clear"
end_castgate
cat "$work/found-joined.txt"
echo "$packets packets: ffmpeg and castgate-node heard the source's samples, each with its own key"
