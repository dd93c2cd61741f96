#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sealed groups, SRTP and ESP, while castgate is killed again and again: no number, IV or nonce
# leaves twice under one key, and tshark opens every ESP packet to what the source sent.
# Argument: kills (6).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

kills=${1:-6}
spi=0x00001000

two_paths 0
two_path_pipeline "$work/scene.yaml" "max_skew: 50ms, continuity: splice"
cat >>"$work/scene.yaml" <<YAML
      sealed: {port: out, to: "239.9.0.2:5000", source: 10.9.0.9,
               protect: {profile: srtp_gcm, key_file: gcm.key}}
      tunnel: {port: out, to: "239.9.0.3:5000", source: 10.9.0.9,
               protect: {profile: esp_tunnel, spi: $spi, esn: false, key_file: esp.key,
                         inner: {source: 10.1.0.5}}}
YAML
(umask 077 && openssl rand -hex 28 >"$work/gcm.key" && openssl rand -hex 20 >"$work/esp.key")

capture dst in0 "udp or esp"
start src sender python3 "$here/rtp_send.py" --count $((kills * 20000)) --rate 1000 \
  --leg "interface=a0,source=10.1.0.5,to=$leg_a" --leg "interface=b0,source=10.2.0.5,to=$leg_b"
for ((n = 0; n < kills; n++)); do
  run_castgate gate "$work/scene.yaml"
  await_forwarded 60
  sleep 0.$((1 + n % 5))
  kill -KILL "$gate"
  end_process "$gate"
  unset "background[$gate]"
done
stop "$started"
stop_captures

association="\"IPv4\",\"*\",\"*\",\"$spi\",\"AES-GCM with 16 octet ICV [RFC4106]\","
association+="\"0x$(cat "$work/esp.key")\",\"NULL\",\"\""
tshark -r "$work/in0.pcap" -Y esp -o esp.enable_encryption_decode:TRUE \
  -o esp.enable_authentication_check:TRUE -o "uat:esp_sa:$association" \
  -T fields -e esp.icv_good -e esp.sequence -e esp.iv -e udp.payload \
  >"$work/esp.txt" 2>"$work/tshark.log" ||
  fail "tshark: $(tail -n 1 "$work/tshark.log")"
python3 - "$work" "$here" "$kills" <<'PYTHON' || fail "twice, or not to be opened"
import pathlib
import struct
import sys

work, here, kills = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, str(here.parents[1] / "pcaps"))
import capture_file

groups = {n: [] for n in (1, 2)}
for _, frame in capture_file.read_pcap(work / "in0.pcap"):
    if frame[12:14] == b"\x08\0" and frame[23] == 17 and frame[30:33] == bytes((239, 9, 0)):
        groups[frame[33]].append(frame[42:])
rows = [line.split("\t") for line in (work / "esp.txt").read_text().splitlines()]
assert len(rows) > 50 * kills, f"{len(rows)} packets"
assert {row[0] for row in rows} == {"1"}, "an ICV is not good"
numbers = [int(row[1]) for row in rows]
assert numbers == sorted(set(numbers)), "a sequence number came twice, or behind a later one"
assert len({row[2] for row in rows}) == len(rows), "an IV came twice"
blocks = {number >> 20 for number in numbers}
assert len(blocks) == kills, f"{len(blocks)} blocks of {kills} starts"
# The group in the clear tells what is in the tunnel; a kill may part what one turn sends.
clear = [packet.hex() for packet in groups[1]]
assert len(set(clear) ^ {row[3] for row in rows}) <= 32 * kills, "another payload"
nonces = [struct.unpack_from(">HxxxxI", packet, 2) for packet in groups[2]]
assert len(nonces) > 50 * kills and len(set(nonces)) == len(nonces), "an SRTP number came twice"
assert len({ssrc for _, ssrc in nonces}) == kills, "SSRCs"
print(f"{kills} starts, {len(rows)} packets under each key: "
      "no number or IV came twice, every ICV good")
PYTHON
