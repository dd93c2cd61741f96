#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Keys that follow each other while packets flow: a clear group, one with SRTP and an MKI, one with
# ESP and an SPI for each key. Every packet is there once, sealed with the key of its time; keys
# are appended and the file is read again meanwhile; after kill -9 the newest one goes on.
# Arguments: rolls (12), milliseconds from one to the next (250).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

rolls=${1:-12}
period=${2:-250}
rate=4000
spi=0x00001000

two_paths 0
two_path_pipeline "$work/scene.yaml" "max_skew: 50ms, continuity: splice"
cat >>"$work/scene.yaml" <<YAML
      sealed: {port: out, to: "239.9.0.2:5000", source: 10.9.0.9,
               protect: {profile: srtp_gcm, mki_bytes: 4, rekey_time: ${period}ms,
                         key_file: gcm.keys}}
      tunnel: {port: out, to: "239.9.0.3:5000", source: 10.9.0.9,
               protect: {profile: esp_tunnel, spi: $spi, esn: false, rekey_time: ${period}ms,
                         key_file: esp.keys, inner: {source: 10.1.0.5}}}
YAML
current_epoch() {
  grep -o "gcm.keys: the key of epoch [0-9]*" "$work/castgate.log" | tail -n 1 | grep -o "[0-9]*$"
}
has_reached() {
  local now
  now=$(current_epoch)
  ((${now:-1} >= $1))
}
umask 077
append_keys $((rolls / 2 + 1)) "$work/gcm.keys" "$work/esp.keys"

capture dst in0 "udp or esp"
run_castgate gate "$work/scene.yaml"
start src sender python3 "$here/rtp_send.py" --count 100000000 --rate $rate \
  --leg "interface=a0,source=10.1.0.5,to=$leg_a" --leg "interface=b0,source=10.2.0.5,to=$leg_b"
sender=$started
await_forwarded 100
append_keys $((rolls - rolls / 2)) "$work/gcm.keys" "$work/esp.keys"
kill -HUP "$gate"
await $((rolls * period / 1000 + 30)) "epoch $((rolls + 1))" has_reached $((rolls + 1))
await 10 "the warning that the last key is due" grep -q "gcm.keys.*it is the last one" \
  "$work/castgate.log"
stop "$sender"
sleep 1 # what is held comes out
stop_captures

python3 - "$work" "$here" "$rolls" "$spi" <<'PYTHON' || fail "lost, or not to be opened"
import pathlib
import subprocess
import sys

work, here = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
rolls, spi = int(sys.argv[3]), int(sys.argv[4], 16)
sys.path += [str(here.parents[1] / "pcaps"), str(here.parent / "support")]
import capture_file
import srtp_judge

groups = {n: [] for n in (1, 2)}
for _, frame in capture_file.read_pcap(work / "in0.pcap"):
    if frame[12:14] == b"\x08\0" and frame[23] == 17 and frame[30:33] == bytes((239, 9, 0)):
        groups[frame[33]].append(bytes(frame[42:]))
keys = [bytes.fromhex(line) for line in (work / "gcm.keys").read_text().split()]
judge = srtp_judge.Keyring({n + 1: key for n, key in enumerate(keys)}, "srtp_gcm", 4)
opened = [judge.open(packet) for packet in groups[2]]
assert opened == groups[1], f"SRTP: {len(opened)} packets, {len(groups[1])} in the clear"
assert judge.epochs == sorted(judge.epochs), "an earlier key sealed after a later one"
assert set(judge.epochs) == set(range(1, rolls + 2)), f"epochs {sorted(set(judge.epochs))}"

options = []
keys = (work / "esp.keys").read_text().split()
for n, key in enumerate(keys):
    options += ["-o", f'uat:esp_sa:"IPv4","*","*","{spi + n:#010x}",'
                      f'"AES-GCM with 16 octet ICV [RFC4106]","0x{key}","NULL",""']
rows = subprocess.run(
    ["tshark", "-r", work / "in0.pcap", "-Y", "esp", "-o", "esp.enable_encryption_decode:TRUE",
     "-o", "esp.enable_authentication_check:TRUE", *options, "-T", "fields",
     "-e", "esp.icv_good", "-e", "esp.spi", "-e", "udp.payload"],
    capture_output=True, text=True, check=True).stdout.splitlines()
rows = [row.split("\t") for row in rows]
assert {row[0] for row in rows} == {"1"}, "an ICV is not good"
assert [row[2] for row in rows] == [packet.hex() for packet in groups[1]], "ESP: another payload"
spis = [int(row[1], 16) for row in rows]
assert spis == sorted(spis) and set(spis) == set(range(spi, spi + rolls + 1)), "SPIs"
print(f"{rolls} rolls, {len(rows)} packets under each set of keys: 0 lost, each opens")
PYTHON

# What has begun is remembered: nothing goes back behind it.
kill -KILL "$gate"
end_process "$gate"
unset "background[$gate]"
capture dst in0 "udp or esp"
run_castgate gate "$work/scene.yaml"
start src sender python3 "$here/rtp_send.py" --count 500 --rate 1000 \
  --leg "interface=a0,source=10.1.0.5,to=$leg_a" --leg "interface=b0,source=10.2.0.5,to=$leg_b"
await_forwarded 400
stop_captures
tshark -r "$work/in0.pcap" -Y esp -T fields -e esp.spi 2>"$work/tshark.log" | sort -u \
  >"$work/spis.txt" || fail "tshark: $(tail -n 1 "$work/tshark.log")"
[[ "$(cat "$work/spis.txt")" == "$(printf '0x%08x' $((spi + rolls)))" ]] ||
  fail "after a kill: SPI $(tr '\n' ' ' <"$work/spis.txt")"
echo "after kill -9 the newest key goes on"
