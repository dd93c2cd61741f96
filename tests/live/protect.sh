#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two paths, one of which loses packets, merged and sealed twice, as srtp_gcm and srtp_cm: GStreamer
# opens both to the source's own bytes, while a third group gets the stream in the clear. A restart
# takes an SSRC that the keys have not had. Argument: seconds (6).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

seconds=${1:-6}
ssrc=0x11223344
command -v gst-launch-1.0 >/dev/null || { echo "gst-launch-1.0 is not installed" && exit 77; }
gst-inspect-1.0 srtpdec >/dev/null 2>&1 || { echo "GStreamer has no srtpdec" && exit 77; }

two_paths 0
lossy net na0 50
ip -n "${prefix}dst" route add 239.0.0.0/8 dev in0
two_path_pipeline "$work/scene.yaml" "max_skew: 50ms, continuity: splice"
cat >>"$work/scene.yaml" <<YAML
      region: {port: out, to: "239.9.0.2:5002", source: 10.9.0.9,
               protect: {profile: srtp_gcm, key_file: gcm.key}}
      players: {port: out, to: "239.9.0.3:5004", source: 10.9.0.9,
                protect: {profile: srtp_cm, key_file: cm.key}}
    restamp: {ssrc: $ssrc}
YAML
(umask 077 && openssl rand -hex 28 >"$work/gcm.key" && openssl rand -base64 30 >"$work/cm.key")
cm=$(base64 -d "$work/cm.key" | od -An -tx1 | tr -d ' \n')
head -c $((seconds * 1000 * 1316)) /dev/urandom >"$work/source.ts"

# A receiver that knows the key, the SSRC and that the roll-over counter begins at 0. Each has a
# port of its own: GStreamer binds to any address, and of one port the kernel may give it the other
# group.
receive() { # NAME GROUP PORT KEY CIPHER AUTH
  local caps="application/x-srtp,media=(string)video,clock-rate=(int)90000"
  caps+=",encoding-name=(string)MP2T,payload=(int)33,ssrc=(uint)$((ssrc)),roc=(uint)0"
  caps+=",srtp-key=(buffer)$4,srtp-cipher=(string)$5,srtp-auth=(string)$6"
  caps+=",srtcp-cipher=(string)$5,srtcp-auth=(string)$6"
  start dst "$1" gst-launch-1.0 udpsrc "address=$2" "port=$3" multicast-iface=in0 \
    buffer-size=8000000 "caps=$caps" ! srtpdec ! rtpmp2tdepay \
    ! filesink "location=$work/$1.ts" buffer-mode=unbuffered
  await 30 "the receiver of $1" grep -q "Setting pipeline to PLAYING" "$work/$1.log"
  await 30 "the membership of $1" has_joined "$2"
}
has_joined() { within dst ip maddress show dev in0 | grep -q "$1\$"; }
is_whole() { [[ $(stat -c %s "$work/$1.ts") -ge $(stat -c %s "$work/source.ts") ]]; }

run_castgate gate "$work/scene.yaml"
capture dst in0
receive gcm 239.9.0.2 5002 "$(cat "$work/gcm.key")" aes-128-gcm null
gcm=$started
receive cm 239.9.0.3 5004 "$cm" aes-128-icm hmac-sha1-80
cm=$started
packets=$((seconds * 1000))
start src sender python3 "$here/rtp_send.py" --count "$packets" --file "$work/source.ts" \
  --rate 1000 --leg "interface=a0,source=10.1.0.5,to=$leg_a" \
  --leg "interface=b0,source=10.2.0.5,to=$leg_b,delay_ms=3"
sender=$started
await_sender
for profile in gcm cm; do
  await 20 "all of $profile ($(stat -c %s "$work/$profile.ts") octets came)" is_whole "$profile"
done
for pid in "$gcm" "$cm"; do stop "$pid"; done
end_castgate
for profile in gcm cm; do
  cmp "$work/source.ts" "$work/$profile.ts" >&2 ||
    fail "$profile: what GStreamer opened is not what was sent: $(tail -n 1 "$work/$profile.log")"
done

# A second start, on the same state directory: the source begins with the numbers it had before.
run_castgate gate "$work/scene.yaml"
send_on_two_paths 200 1
await_sender
end_castgate
stop_captures
python3 - "$work/in0.pcap" "$ssrc" "$packets" "$here" <<'PYTHON' || fail "a number was used twice"
import pathlib, struct, sys

sys.path.insert(0, str(pathlib.Path(sys.argv[4]).parents[1] / "pcaps"))
import capture_file

first, packets = int(sys.argv[2], 0), int(sys.argv[3])
for group in (2, 3):
    numbers = [struct.unpack_from(">HxxxxI", frame, 44) for _, frame in
               capture_file.read_pcap(sys.argv[1])
               if frame[12:14] == b"\x08\0" and frame[23] == 17 and frame[30:34] == bytes(
                   (239, 9, 0, group))]
    used = {}
    for sequence, ssrc in numbers:
        used.setdefault(ssrc, []).append(sequence)
    assert sorted(used) == [first, first + 1], [hex(ssrc) for ssrc in used]
    assert [len(used[ssrc]) for ssrc in sorted(used)] == [packets, 200], used.keys()
    for ssrc, sequences in used.items():
        assert len(set(sequences)) == len(sequences), f"{ssrc:#x} repeats a number"
PYTHON
echo "$packets packets through losses: GStreamer opens both profiles to the source's own bytes"
