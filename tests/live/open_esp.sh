#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A leg in an ESP tunnel (IP protocol 50) through a turn of 2^32 numbers and through losses, and a
# later one in the clear: merged to the source's own bytes. Argument: seconds (6).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

seconds=${1:-6}
packets=$((seconds * 1000))
spi=0x5001
python3 -c 'import cryptography' 2>/dev/null ||
  { echo "python3-cryptography is not installed" && exit 77; }

two_paths 0
lossy net na0 50 # what is missing comes 3 ms later on the other leg
wire src g0 src g1
ip -n "${prefix}src" address add 10.1.0.5/24 dev a0
ip -n "${prefix}src" address add 10.3.0.6/24 dev g1
ip -n "${prefix}dst" address add 10.9.0.5/24 dev in0
(umask 077 && openssl rand -hex 20 >"$work/leg.key")
two_path_pipeline "$work/scene.yaml" "max_skew: 500ms, max_rate: 10kpps"
open="open: {profile: esp_tunnel, spi: $spi, key_file: leg.key, inner: {to: \"239.7.0.1:5001\"}}"
sed -i "s|\"$leg_a\"}|\"$leg_a\", $open}|" "$work/scene.yaml"
head -c $((packets * 1316)) /dev/urandom >"$work/source.ts"

cat >"$work/receive.py" <<'PYTHON'
import socket, sys

group, port, interface, path = sys.argv[1:]
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_000_000)
receiver.bind((group, int(port)))
receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                    socket.inet_aton(group) + socket.inet_aton(interface))
print("ready", flush=True)
with open(path, "wb", buffering=0) as file:
    while True:
        file.write(receiver.recv(2000)[12:])
PYTHON

receive() {
  start dst receive python3 "$work/receive.py" "${virtual%:*}" "${virtual#*:}" 10.9.0.5 \
    "$work/received.ts"
  await 30 "the receiver" grep -q ready "$work/receive.log"
}
is_whole() { [[ $(stat -c %s "$work/received.ts") -ge $(stat -c %s "$work/source.ts") ]]; }
leg_counter() { # LEG COUNTER
  "$castgate" show legs --json | python3 -c 'import json, sys
legs = json.load(sys.stdin)["streams"][0]["legs"]
print(next(leg[sys.argv[2]] for leg in legs if leg["name"] == sys.argv[1]))' "$1" "$2"
}

start src encrypt python3 "$here/esp_encrypt.py" 239.3.0.1 6000 10.3.0.6 "$(cat "$work/leg.key")" \
  "$spi" $((2 ** 32 - packets / 2)) 10.1.0.5 "${leg_a%:*}" 10.7.0.5 239.7.0.1 5001
encrypt=$started
await 30 "the encrypting sender" grep -q ready "$work/encrypt.log"
run_castgate gate "$work/scene.yaml"
receive
receiver=$started
start src sender python3 "$here/rtp_send.py" --count "$packets" --file "$work/source.ts" \
  --rate 1000 --leg "interface=g0,source=10.3.0.5,to=239.3.0.1:6000" \
  --leg "interface=b0,source=10.2.0.5,to=$leg_b,delay_ms=3"
sender=$started
await_sender
await 20 "all of it ($(stat -c %s "$work/received.ts") octets came)" is_whole
stop "$receiver"
stop "$encrypt"
opened=$(leg_counter A opened)
[[ $opened -gt $((packets * 9 / 10)) && $opened -lt $packets ]] || fail "$opened opened of $packets"
[[ $(leg_counter A forged) -eq 0 ]] || fail "$(leg_counter A forged) forged"
end_castgate
cmp "$work/source.ts" "$work/received.ts" >&2 || fail "what left is not what was sent"
echo "$packets packets: $opened of a leg of ESP opened, and with a clear one equal to the source"
