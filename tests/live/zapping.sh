#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A storm of clients that change streams, as many as one connection after the other can bring, while
# others watch: these lose nothing. Argument: seconds of the storm (10). Prints joins a second, and
# how long a join takes to its first packet.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

seconds=${1:-10}
packets=$(((seconds + 6) * 1000))
command -v wrk >/dev/null || { echo "wrk is not installed" && exit 77; }
two_paths 0
ip -n "${prefix}dst" address add 10.9.0.5/16 dev in0
ip -n "${prefix}dst" address add 10.9.0.6/16 dev in0
ip -n "${prefix}dst" address add 10.9.0.7/16 dev in0
ip -n "${prefix}gate" address add 10.9.0.2/16 dev out0
mac=$(within dst cat /sys/class/net/in0/address)
two_path_pipeline "$work/scene.yaml"
python3 - "$work/scene.yaml" "$mac" <<'PYTHON'
import pathlib, sys

file, mac = pathlib.Path(sys.argv[1]), sys.argv[2]
hosts = ", ".join(f'10.9.0.{n}: "{mac}"' for n in (5, 6, 7))
text = file.read_text().replace("addresses: [10.9.0.2/24]}",
                                f"addresses: [10.9.0.2/16], neighbours: {{{hosts}}}}}")
text += """      homes: {port: out, unicast: {max_clients: 100}}
  quiet:
    legs: {A: {port: red, to: "239.1.0.9:5000"}}
    outputs: {homes: {port: out, unicast: {max_clients: 50000}}}
doors:
  rest: {listen: "0.0.0.0:8080", allow: [10.9.0.0/16], clients_per_address: 1000,
         joins_per_second: 100000}
"""
file.write_text(text.replace("control_core: 0", "control_core: 0\n  max_clients: 60000"))
PYTHON
# Each connection joins another client and lets an older one leave.
cat >"$work/zap.lua" <<'LUA'
local ids, first, last, port, joins = {}, 1, 0, 10000, 0
local path = "/v1/streams/quiet/clients"
function request()
  if last - first >= 200 then
    local id = ids[first]
    ids[first] = nil
    first = first + 1
    return wrk.format("DELETE", path .. "/" .. id)
  end
  port = port % 50000 + 10000
  port = port + 1
  return wrk.format("POST", path, nil, '{"address": "10.9.0.7", "udp_port": ' .. port .. '}')
end
function response(status, headers, body)
  if status == 201 then
    last = last + 1
    ids[last] = string.match(body, '"id":"(%x+)"')
  elseif status ~= 204 and status ~= 200 and status ~= 503 then -- 503: the worker has enough
    print("status", status, body)
  end
end
LUA
capture gate red0
capture gate blue0
capture dst in0
run_castgate gate "$work/scene.yaml"
for port in 6000 6001 6002; do "$castgate" join news "10.9.0.6:$port" >/dev/null; done

send_on_two_paths "$packets" 2
sleep 2
start gate storm wrk -t1 -c16 "-d${seconds}s" -s "$work/zap.lua" http://127.0.0.1:8080/
storm=$started
within dst python3 "$here/zap.py" http://10.9.0.2:8080 news 100 >"$work/zapped" ||
  fail "a receiver that changes streams waits for its first packet"
wait "$storm" || fail "the storm: $(tail -n 1 "$work/storm.log")"
unset "background[$storm]"
await_sender
"$castgate" show doors --json >"$work/doors.json"
end_castgate
stop_captures
! grep -q "^status" "$work/storm.log" || fail "$(grep -m1 "^status" "$work/storm.log")"
for port in 6000 6001 6002; do
  python3 "$here/rtp_oracle.py" --header --leg "$work/red0.pcap,$leg_a" \
    --leg "$work/blue0.pcap,$leg_b" --out "$work/in0.pcap,10.9.0.6:$port" >"$work/oracle.log" ||
    fail "a client that stays: $(tail -n 1 "$work/oracle.log")"
done
python3 - "$work/doors.json" "$seconds" "$work/zapped" <<'PYTHON'
import json, sys

rest = json.load(open(sys.argv[1]))["doors"]["rest"]
joins, leaves = rest["joins"], rest["leaves"]
assert joins > 1000 and leaves > 1000, rest
refused = {name: rest[name] for name in ("no_place", "quota", "rate", "not_found") if rest[name]}
assert not refused, refused
print(f"{joins} joins and {leaves} leaves in {sys.argv[2]} s, three clients lost nothing;",
      open(sys.argv[3]).read().strip())
PYTHON
