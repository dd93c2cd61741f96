#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A leg sealed by GStreamer's srtpenc, through losses, and a later one in the clear: merged, sealed
# again under another key, and opened by GStreamer's srtpdec and by castgate-node to the source's
# own bytes. Argument: seconds (6).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

node=${CASTGATE_NODE:-$(dirname "$castgate")/node/castgate-node}
[[ -x $node ]] || fail "no program at $node: build first"
seconds=${1:-6}
ssrc=0x11223344
command -v gst-launch-1.0 >/dev/null || { echo "gst-launch-1.0 is not installed" && exit 77; }
gst-inspect-1.0 srtpenc >/dev/null 2>&1 || { echo "GStreamer has no srtpenc" && exit 77; }

two_paths 0
lossy net na0 50 # what is missing comes 3 ms later on the other leg
wire src g0 src g1
ip -n "${prefix}src" address add 10.1.0.5/24 dev a0
ip -n "${prefix}dst" address add 10.9.0.5/24 dev in0
ip -n "${prefix}dst" route add 239.0.0.0/8 dev in0
(umask 077 && openssl rand -base64 30 >"$work/leg.key" && openssl rand -hex 28 >"$work/out.key")
two_path_pipeline "$work/scene.yaml" "max_skew: 500ms, max_rate: 10kpps, continuity: splice"
cat >>"$work/scene.yaml" <<YAML
      region: {port: out, to: "239.9.0.2:5000", source: 10.9.0.9,
               protect: {profile: srtp_gcm, key_file: out.key}}
      homes: {port: out, unicast: {}, protect: {profile: srtp_gcm, key_file: out.key}}
    restamp: {ssrc: $ssrc}
doors:
  rest: {listen: "10.9.0.2:8080", allow: [10.9.0.0/24]}
YAML
sed -i "s|\"$leg_a\"}|\"$leg_a\", open: {profile: srtp_cm, key_file: leg.key}}|" "$work/scene.yaml"
head -c $((seconds * 1000 * 1316)) /dev/urandom >"$work/source.ts"

# What the sender puts on g0 as RTP leaves on leg A as SRTP.
encrypt() {
  start src encrypt gst-launch-1.0 udpsrc address=239.3.0.1 port=6000 multicast-iface=g1 \
    buffer-size=8000000 "caps=application/x-rtp,media=video,clock-rate=90000,payload=33" \
    ! srtpenc "key=$(base64 -d "$work/leg.key" | od -An -tx1 | tr -d ' \n')" \
    rtp-cipher=aes-128-icm rtp-auth=hmac-sha1-80 \
    ! udpsink host="${leg_a%:*}" port="${leg_a#*:}" multicast-iface=a0 ttl-mc=8 \
    sync=false async=false
  await 30 "the encrypting sender" grep -q "Setting pipeline to PLAYING" "$work/encrypt.log"
  await 30 "its membership" within src sh -c "ip maddress show dev g1 | grep -q '239.3.0.1\$'"
}

receive() {
  local caps="application/x-srtp,media=(string)video,clock-rate=(int)90000"
  caps+=",encoding-name=(string)MP2T,payload=(int)33,ssrc=(uint)$((ssrc)),roc=(uint)0"
  caps+=",srtp-key=(buffer)$(cat "$work/out.key"),srtp-cipher=(string)aes-128-gcm"
  caps+=",srtp-auth=(string)null,srtcp-cipher=(string)aes-128-gcm,srtcp-auth=(string)null"
  start dst receive gst-launch-1.0 udpsrc address=239.9.0.2 port=5000 multicast-iface=in0 \
    buffer-size=8000000 "caps=$caps" ! srtpdec ! rtpmp2tdepay \
    ! filesink "location=$work/received.ts" buffer-mode=unbuffered
  await 30 "the receiver" grep -q "Setting pipeline to PLAYING" "$work/receive.log"
  await 30 "its membership" within dst sh -c "ip maddress show dev in0 | grep -q '239.9.0.2\$'"
}
are_whole() {
  local file
  for file in received node; do
    [[ $(stat -c %s "$work/$file.ts") -ge $(stat -c %s "$work/source.ts") ]] || return 1
  done
}
has_client() { [[ $("$castgate" show clients --json) == *'"rest"'* ]]; }
leg_counter() { # LEG COUNTER
  "$castgate" show legs --json | python3 -c 'import json, sys
legs = json.load(sys.stdin)["streams"][0]["legs"]
print(next(leg[sys.argv[2]] for leg in legs if leg["name"] == sys.argv[1]))' "$1" "$2"
}

encrypt
encrypt=$started
run_castgate gate "$work/scene.yaml"
receive
receiver=$started
start dst node "$node" receive rest://10.9.0.2:8080/news --to "file:$work/node.ts" \
  --open "profile=srtp_gcm,key_file=$work/out.key" --json
client=$started
await 20 "castgate-node" has_client
sleep 0.3 # the worker has it a turn later
packets=$((seconds * 1000))
start src sender python3 "$here/rtp_send.py" --count "$packets" --file "$work/source.ts" \
  --rate 1000 --leg "interface=g0,source=10.3.0.5,to=239.3.0.1:6000" \
  --leg "interface=b0,source=10.2.0.5,to=$leg_b,delay_ms=3"
sender=$started
await_sender
sizes=$(stat -c %s "$work/received.ts" "$work/node.ts" | xargs)
await 20 "all of it ($sizes octets came)" are_whole
stop "$receiver"
stop "$client"
stop "$encrypt"
opened=$(leg_counter A opened)
[[ $opened -gt $((packets * 9 / 10)) && $opened -lt $packets ]] || fail "$opened opened of $packets"
[[ $(leg_counter A forged) -eq 0 ]] || fail "$(leg_counter A forged) forged"
end_castgate
cmp "$work/source.ts" "$work/received.ts" >&2 ||
  fail "what GStreamer opened is not what was sent: $(tail -n 1 "$work/receive.log")"
cmp "$work/source.ts" "$work/node.ts" >&2 ||
  fail "what castgate-node opened is not what was sent: $(tail -n 1 "$work/node.log")"
echo "$packets packets: $opened of a sealed leg opened; with a clear one, sealed again and opened" \
  "by GStreamer and castgate-node they are the source's own"
