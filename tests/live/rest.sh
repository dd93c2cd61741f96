#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Clients that join a running appliance by REST over TLS: a stock receiver with curl and socat, one
# that proves its address, hundreds by an administrator; a crash, and who is there after it.
# Arguments: seconds that the stream flows (20).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

seconds=${1:-20}
packets=$((seconds * 1000))
base=https://10.9.0.2:8443
token=0123456789abcdef0123456789abcdef
admin=fedcba9876543210fedcba9876543210
schema=/usr/share/openapi-specification/schemas/v3.0/schema.json
[[ ! -f $schema ]] || export SCHEMA=$schema
export CA=$work/cert.pem TOKEN=$token

two_paths 0
ip -n "${prefix}dst" address add 10.9.0.5/16 dev in0
ip -n "${prefix}gate" address add 10.9.0.2/16 dev out0
mac=$(within dst cat /sys/class/net/in0/address)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
  -subj /CN=castgate -addext subjectAltName=IP:10.9.0.2 \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
printf 'alice %s\nroot %s admin\n' "$token" "$admin" >"$work/tokens"
chmod 600 "$work/key.pem" "$work/tokens"

two_path_pipeline "$work/scene.yaml"
python3 - "$work" "$mac" <<'PYTHON'
import pathlib, sys

work, mac = pathlib.Path(sys.argv[1]), sys.argv[2]
file = work / "scene.yaml"
neighbours = ", ".join([f'10.9.0.5: "{mac}"'] +
                       [f'10.9.{1 + n // 250}.{1 + n % 250}: "{mac}"' for n in range(1000)])
text = file.read_text().replace("addresses: [10.9.0.2/24]}",
                                f"addresses: [10.9.0.2/16], neighbours: {{{neighbours}}}}}")
text += "      homes: {port: out, unicast: {max_clients: 2000}}\n"
text += f"""doors:
  rest:
    listen: "10.9.0.2:8443"
    tls: {{cert: {work}/cert.pem, key: {work}/key.pem}}
    allow: [10.9.0.0/16]
    tokens: {work}/tokens
"""
file.write_text(text)
PYTHON
judge() { within dst python3 "$here/rest_judge.py" "$base" "$@"; }
curl_door() { # METHOD PATH [CURL OPTIONS...]
  local method=$1 path=$2
  shift 2
  within dst curl -sS --cacert "$CA" -H "Authorization: Bearer $token" -X "$method" "$@" \
    "$base$path"
}
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

capture dst in0
start dst receiver socat -u UDP-RECV:6000,rcvbuf=8000000 "CREATE:$work/stock.bytes"
receiver=$started
run_castgate gate "$work/scene.yaml"
judge describe || fail "the description is not valid"

# Who may not, is told so.
TOKEN='' judge ask 401 GET /v1/streams >/dev/null || fail "asked without a token"
judge ask 404 POST /v1/streams/sports/clients '{"udp_port": 6000}' >/dev/null || fail "unknown"
judge ask 400 POST /v1/streams/news/clients '{"udp_port": 0}' >/dev/null || fail "no port"
judge ask 403 POST /v1/streams/news/clients '{"udp_port": 1, "address": "10.9.0.6"}' >/dev/null ||
  fail "another's address without a proof"
judge ask 403 GET /v1/streams/news/clients >/dev/null || fail "all clients are shown to anybody"
! within dst curl -sS --max-time 5 "http://10.9.0.2:8443/v1/streams" >/dev/null 2>&1 ||
  fail "answered without TLS"

# A stock receiver, and one that proves its address.
stock=$(curl_door POST /v1/streams/news/clients -d '{"udp_port": 6000}' | field id)
renew_stock() { curl_door PUT "/v1/streams/news/clients/$stock" -d '{}' | field lease_s; }
[[ $(renew_stock) == 60.0 ]] || fail "the stock receiver's first renewal"
proved=$(judge prove news 6001 | field id)

send_on_two_paths "$packets" 2
await_forwarded 2000
# Half a request each, and never more: nobody else may notice.
for n in {1..40}; do
  start dst "slow$n" python3 -c '
import socket, sys, time
s = socket.create_connection(("10.9.0.2", 8443))
time.sleep(30)'
done
judge ask 200 GET /v1/streams >/dev/null || fail "no answer beside slow peers"
await_sender
all_came() { (($(received_on in0 10.9.0.5:6000) >= packets)); }
await 5 "the stock receiver's stream" all_came
came=$(received_on in0 10.9.0.5:6000)
[[ $came -eq $packets ]] || fail "the stock receiver got $came of $packets"
proved_got=$(tcpdump -r "$work/in0.pcap" -n "host 10.9.0.5 and udp dst port 6001" 2>/dev/null |
  wc -l) # one more than the stream has: the proof
((proved_got == packets + 1)) || fail "who proved its address got $proved_got"
stop "$receiver"
size=$(stat -c %s "$work/stock.bytes")
((size == came * (size / came))) || fail "socat got $size bytes of $came packets"

# A thousand more, which an administrator places. After a crash all are there, with what was left.
TOKEN=$admin judge hold news 1000 1 >"$work/held" || fail "an administrator placed no clients"
before=$(TOKEN=$admin judge ask 200 GET "/v1/clients/$proved" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["groups"][0]["expires_in_s"])')
sleep 0.3 # what is younger than a tenth of a second may be forgotten
kill -KILL "$gate"
end_process "$gate"
unset "background[$gate]"
begun=$(date +%s%N)
run_castgate gate "$work/scene.yaml"
left=$(judge ask 200 GET "/v1/clients/$proved" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["groups"][0]["expires_in_s"])')
took=$((($(date +%s%N) - begun) / 1000000))
((took <= 2000)) || fail "clients came back after $took ms"
python3 -c "assert $before - 15 < $left < $before - 0.3, ($before, $left)" || fail "leases"
TOKEN=$admin judge renew news <"$work/held" || fail "clients did not come back"
[[ $(curl_door DELETE "/v1/streams/news/clients/$stock" -o /dev/null -w '%{http_code}') == 204 ]] ||
  fail "the stock receiver could not leave"
judge ask 404 GET "/v1/streams/news/clients/$stock" >/dev/null || fail "it is still there"
"$castgate" show doors --json >"$work/doors.json"
python3 - "$work/doors.json" <<'PYTHON' || fail "show doors tells other counts"
import json, sys

doors = json.load(open(sys.argv[1]))
assert doors["clients"] == 1001, doors
assert doors["doors"]["rest"]["renewals"] == 1000, doors
assert doors["doors"]["rest"]["leaves"] == 1, doors
PYTHON
end_castgate
stop_captures
echo "$came packets to socat; 1002 clients back $took ms after a crash, $before s became $left"
