#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The REST door on a port that Linux has not: clients join through its twin, by IPv4 and IPv6, and
# are known by the TTL of their own packets, which is read on the worker. On a port that Linux has,
# the same door answers and tells no TTL.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/one_path.sh"

two_ports_to_clients
# As from a few routers away.
within dst sysctl -qw net.ipv4.ip_default_ttl=61 net.ipv6.conf.in1.hop_limit=250

pipeline() { # LISTEN
  one_path_pipeline "$work/scene.yaml" twin "" kernel twin
  cat >>"$work/scene.yaml" <<YAML
doors:
  rest: {listen: "$1", allow: [10.8.0.0/24, 10.9.0.0/24, "2001:db8:8::/64", "2001:db8:9::/64"]}
YAML
}

receivers=()
join() { # OUTPUT HOST UDP_PORT: prints the answer
  within dst curl -sS --max-time 5 "http://$2:8080/v1/streams/news.$1/clients" \
    -d "{\"udp_port\": $3}"
}
ttl_of() { # ANSWER
  python3 -c 'import json, sys; print(json.loads(sys.argv[1]).get("ttl_seen", "none"))' "$1"
}
shown_ttl() { # ADDRESS:PORT
  "$castgate" show clients --json | python3 -c '
import json, sys
print([one.get("ttl_seen", "none") for one in json.load(sys.stdin)["clients"]
       if one["address"] == sys.argv[1]])' "$1"
}

pipeline "[::]:8080" # of both families
run_castgate gate "$work/scene.yaml"
four=$(join twin 10.8.0.2 6000) || fail "nobody answers on the twin"
[[ $(ttl_of "$four") == 61 ]] || fail "the TTL is not told: $four"
six=$(join twin "[2001:db8:8::2]" 6000) || fail "nobody answers on the twin over IPv6"
[[ $(ttl_of "$six") == 250 ]] || fail "the hop limit is not told: $six"
[[ $(shown_ttl 10.8.0.5:6000) == "[61]" ]] || fail "show clients tells another TTL"
[[ $(shown_ttl "[2001:db8:8::5]:6000") == "[250]" ]] || fail "show clients tells another limit"
kernel=$(join kernel 10.9.0.2 6000) || fail "nobody answers on a port that Linux has"
[[ $(ttl_of "$kernel") == none ]] || fail "a TTL that nobody can have seen: $kernel"

for receiver in 10.8.0.5 2001:db8:8::5 10.9.0.5; do
  start dst "receiver-$receiver" python3 "$here/udp_gaps.py" "$receiver" 6000
  receivers+=("$started")
done
all_listen() { [[ $(within dst ss -Hlun "sport = :6000" | wc -l) -eq 3 ]]; }
await 10 "the receivers" all_listen
send_on_one_path 3000 500
wait "$sender" || fail "the sender failed"
unset "background[$sender]"
for pid in "${receivers[@]}"; do stop "$pid"; done
for receiver in 10.8.0.5 2001:db8:8::5 10.9.0.5; do
  python3 - "$work/receiver-$receiver.log" <<'PYTHON' || fail "$receiver lost packets"
import json, sys

got = json.load(open(sys.argv[1]))
# Nothing was missed from the first one on: before that its next hop may be unknown.
assert got["packets"] > 2000 and not got["gaps"], got
PYTHON
done
end_castgate

# An address of the twin's alone.
rm -r "$work/state"
pipeline 10.8.0.2:8080
run_castgate gate "$work/scene.yaml"
four=$(join twin 10.8.0.2 6001) || fail "nobody answers on the twin's own address"
[[ $(ttl_of "$four") == 61 ]] || fail "the TTL is not told: $four"
! join kernel 10.9.0.2 6001 >/dev/null 2>&1 || fail "it answers where it does not listen"
end_castgate
echo "joined through a twin: TTL 61 and hop limit 250 are told, and no packet is lost"
