#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A merged stream sealed as srtp_cm, which ffmpeg opens by an SDP file, through a wrap of the
# sequence number, at which the roll-over counter goes from 0 to 1: every sample is the source's.
# Argument: seconds (8).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

packets=$((${1:-8} * 1000))
command -v ffmpeg >/dev/null || { echo "ffmpeg is not installed" && exit 77; }

two_paths 0
lossy net na0 50
ip -n "${prefix}dst" route add 239.0.0.0/8 dev in0
two_path_pipeline "$work/scene.yaml" "max_skew: 50ms, continuity: splice"
cat >>"$work/scene.yaml" <<YAML
      players: {port: out, to: "239.9.0.3:5004", source: 10.9.0.9,
                protect: {profile: srtp_cm, key_file: cm.key}}
YAML
(umask 077 && openssl rand -base64 30 >"$work/cm.key")
cat >"$work/stream.sdp" <<SDP
v=0
o=- 1 1 IN IP4 10.9.0.9
s=news
c=IN IP4 239.9.0.3/32
t=0 0
m=audio 5004 RTP/SAVP 96
a=rtpmap:96 L16/48000/1
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:$(cat "$work/cm.key")
SDP

has_joined() { within dst ip maddress show dev in0 | grep -qw "239.9.0.3"; }
is_whole() { [[ $(stat -c %s "$work/heard.pcm" 2>/dev/null || echo 0) -ge $((packets * 96)) ]]; }

run_castgate gate "$work/scene.yaml"
capture dst in0
start dst ffmpeg ffmpeg -nostdin -loglevel warning -protocol_whitelist file,udp,rtp,srtp \
  -i "$work/stream.sdp" -c copy -flush_packets 1 -f s16be "$work/heard.pcm"
player=$started
await 30 "ffmpeg's membership" has_joined
# 60000 is the first number: the wrap comes after 5536.
start src sender python3 "$here/rtp_send.py" --count "$packets" --rate 1000 --first 60000 \
  --leg "interface=a0,source=10.1.0.5,to=$leg_a" --leg "interface=b0,source=10.2.0.5,to=$leg_b"
sender=$started
await_sender
await 30 "all that ffmpeg should hear" is_whole
stop "$player"
end_castgate
stop_captures
python3 - "$work" "$here" "$packets" <<'PYTHON' || fail "$(tail -n 3 "$work/ffmpeg.log")"
import pathlib
import sys

work, here, packets = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, str(here.parents[1] / "pcaps"))
import capture_file

clear = [bytes(frame[54:]) for _, frame in capture_file.read_pcap(work / "in0.pcap")
         if frame[12:14] == b"\x08\0" and frame[23] == 17 and frame[30:34] == bytes((239, 9, 0, 1))]
assert len(clear) == packets, f"{len(clear)} packets in the clear"
heard = (work / "heard.pcm").read_bytes()
assert heard == b"".join(clear), f"{len(heard)} octets, or others than were sent"
complaints = (work / "ffmpeg.log").read_text()
assert "HMAC" not in complaints, complaints
PYTHON
echo "$packets packets through losses and a wrap: ffmpeg heard the source's own samples"
