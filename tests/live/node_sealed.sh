#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# castgate-node at an output that is sealed: three of them, one a profile, write the source's own
# bytes through a wrap of the numbers; forged packets from the relay's own address and port are
# counted and harm nobody, and who has another key writes nothing. Two of them follow their keys as
# they change, further ones by SIGHUP. Argument: seconds (6, at least 5).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/one_path.sh"

node=${CASTGATE_NODE:-$(dirname "$castgate")/node/castgate-node}
[[ -x $node ]] || fail "no program at $node: build first"
seconds=${1:-6}
packets=$((seconds * 1000))
forged=500
ssrc=0x11223344
spi=0x1000

one_path dst in0
host_in_net dst in0 9
one_path_pipeline "$work/scene.yaml" sealed "" kernel
sed -i '/^streams:/,$d' "$work/scene.yaml" # one for each profile
cat >>"$work/scene.yaml" <<YAML
doors:
  rest: {listen: "10.9.0.2:8080", allow: [10.9.0.0/24]}
streams:
YAML
for stream in 1:srtp_gcm 2:srtp_cm 3:esp_tunnel; do
  name=${stream#*:} more=''
  [[ $name != srtp_gcm ]] || more="mki_bytes: 2, rekey_packets: 700,"
  [[ $name != esp_tunnel ]] || more="spi: $spi, inner: {source: 10.1.0.5}, rekey_packets: 700,"
  cat >>"$work/scene.yaml" <<YAML
  $name:
    legs: {A: {port: red, to: "239.1.0.${stream%:*}:5000"}}
    sequence: rtp
    failover: {continuity: splice}
    restamp: {ssrc: $ssrc}
    outputs:
      homes: {port: kernel, source_port: 5555, unicast: {},
              protect: {profile: $name, $more key_file: $name.key}}
YAML
done
seals_with() { # EPOCH
  grep -q "srtp_gcm.key: the key of epoch $1 seals" "$work/castgate.log" &&
    grep -q "esp_tunnel.key: the key of epoch $1 seals" "$work/castgate.log"
}
umask 077
append_keys 3 "$work/srtp_gcm.key" "$work/esp_tunnel.key"
openssl rand -base64 30 >"$work/srtp_cm.key"
openssl rand -hex 28 >"$work/other.key"
head -c $((packets * 1316)) /dev/urandom >"$work/source.ts"

declare -A receivers
receive() { # NAME STREAM KEY PORT [MORE]
  start dst "$1" "$node" receive "rest://10.9.0.2:8080/$2" --to "file:$work/$1.ts" --json \
    --listen "10.9.0.5:$4" --open "profile=$2,key_file=$work/$3${5:-}"
  receivers[$1]=$started
}
told() { # NAME FIELD: of its relay, in its last line
  grep '^{' "$work/$1.log" | tail -n 1 | python3 -c '
import json, sys
print(json.load(sys.stdin)["relays"][0][sys.argv[1]])' "$2"
}
are_there() {
  [[ $("$castgate" show clients --json | python3 -c '
import json, sys
print(sum(one["door"] == "rest" for one in json.load(sys.stdin)["clients"]))') -eq 4 ]]
}
has_all() { [[ $(stat -c %s "$work/$1.ts") -ge $(stat -c %s "$work/source.ts") ]]; }

run_castgate gate "$work/scene.yaml"
receive gcm srtp_gcm srtp_gcm.key 6000 ",mki_bytes=2"
receive cm srtp_cm srtp_cm.key 6001
receive stranger srtp_gcm other.key 6002
receive esp esp_tunnel esp_tunnel.key 6003 ",spi=$spi,inner_to=239.1.0.3:5000"
await 20 "four clients" are_there
sleep 0.3 # the worker has them a turn later
send_on_one_path "$packets" 1000 --file "$work/source.ts" --first 64000 \
  --leg "interface=a0,source=10.1.0.5,to=239.1.0.2:5000" \
  --leg "interface=a0,source=10.1.0.5,to=239.1.0.3:5000"
within gate python3 - "$ssrc" "$forged" "$spi" <<'PYTHON'
import os, socket, struct, sys, time

sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind(("10.9.0.2", 5555))
for number in range(int(sys.argv[2])):
    header = struct.pack("!BBHII", 0x80, 33, 64000 + number, 0, int(sys.argv[1], 0))
    for port in (6000, 6001):
        # The last two bytes are an MKI to one of them.
        sender.sendto(header + os.urandom(1330) + b"\0\1", ("10.9.0.5", port))
    esp = struct.pack("!IIQ", int(sys.argv[3], 0), 64000 + number, number)
    sender.sendto(esp + os.urandom(1360), ("10.9.0.5", 6003))
    sender.sendto(b"\xff", ("10.9.0.5", 6003))
    time.sleep(0.002)
PYTHON
await 20 "the third key" seals_with 3
append_keys 3 "$work/srtp_gcm.key" "$work/esp_tunnel.key"
kill -HUP "${receivers[gcm]}" "${receivers[esp]}" # before the relay may use them
sleep 0.3
kill -HUP "$gate"
wait "$sender" || fail "the sender failed: $(tail -n 1 "$work/sender.log")"
unset "background[$sender]"
for name in gcm cm esp; do await 20 "all that $name is to open" has_all "$name"; done
for name in gcm cm esp stranger; do stop "${receivers[$name]}"; done
end_castgate
seals_with 6 || fail "the keys that came later did not seal"
for name in gcm cm esp; do
  foreign=0
  [[ $name != esp ]] || foreign=$forged # keepalives
  cmp "$work/source.ts" "$work/$name.ts" >&2 || fail "$name: what was written is not what was sent"
  ((forged == $(told "$name" forged) + $(told "$name" replayed))) ||
    fail "$name: $(told "$name" forged) forged, $(told "$name" replayed) replayed, not $forged"
  [[ $(told "$name" lost) -eq 0 && $(told "$name" foreign) -eq $foreign ]] ||
    fail "$name lost packets"
done
[[ ! -s $work/stranger.ts ]] || fail "who has another key wrote something"
(($(told stranger forged) >= packets)) || fail "another key's packets are not told as forged"
for key in srtp_gcm srtp_cm esp_tunnel other; do
  ! grep -qF "$(head -c 12 "$work/$key.key")" "$work"/*.log || fail "a log has the key $key"
done
echo "$packets packets of each profile opened to the source's bytes, $forged forged ones counted"
