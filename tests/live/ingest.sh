#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What can befall reception: a link that goes up and down ten times a second, a burst over what the
# receive ring holds, a program that is killed and started again.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

of_leg() { # LEG KEY
  "$castgate" show legs --json | python3 -c "import json, sys
legs = json.load(sys.stdin)['streams'][0]['legs']
print(next(leg for leg in legs if leg['name'] == '$1')['$2'])"
}

of_port() { # PORT KEY
  "$castgate" show ports --json | python3 -c "import json, sys
ports = json.load(sys.stdin)['ports']
print(next(port for port in ports if port['name'] == '$1')['$2'])"
}

moves_within_a_second() { # LEG WHEN
  local before tries=10
  before=$(of_leg "$1" packets)
  while [[ $(of_leg "$1" packets) -le $before ]]; do
    ((tries--)) || fail "leg $1 has not resumed a second after $2"
    sleep 0.1
  done
}

two_paths 0
two_path_pipeline "$work/scene.yaml" "max_skew: 100ms, max_rate: 50kpps"
capture dst in0
run_castgate gate "$work/scene.yaml"

# Killed in the middle of everything: the next one starts at once, nothing is in its way.
send_on_two_paths 12000 0
await 5 "the first packets" test -s "$work/in0.pcap"
kill -KILL "$gate"
wait "$gate" 2>/dev/null || true
unset "background[$gate]"
began=$(date +%s%N)
run_castgate gate "$work/scene.yaml"
restart=$((($(date +%s%N) - began) / 1000000))
[[ $restart -le 2000 ]] || fail "castgate took $restart ms to start after a SIGKILL"
moves_within_a_second A "the restart"

# The first path's link, ten times a second; the second path covers it.
unrecovered=$(of_leg A lost)
for _ in {1..10}; do
  ip -n "${prefix}net" link set na1 down
  sleep 0.05
  ip -n "${prefix}net" link set na1 up
  sleep 0.05
done
moves_within_a_second A "the last flap"
flaps=$(of_port red link_flaps)
[[ $flaps -ge 10 ]] || fail "ten times down and up are $flaps changes of the link"
within gate ip maddress show dev red0 | grep -q 239.1.0.1 || fail "the group is not joined any more"
await_sender
lost=$(($(of_leg A lost) - unrecovered))
[[ $lost -gt 0 ]] || fail "the flaps cost leg A nothing: were there any?"
gaps=$("$castgate" show streams --json |
  python3 -c "import json, sys; print(json.load(sys.stdin)['streams'][0]['unrecovered'])")
[[ $gaps -eq 0 ]] || {
  "$castgate" show legs
  fail "$gaps positions were lost although the second path had them"
}

# Nobody empties the ring for half a second: what it cannot hold is told, not silently gone.
received=$(of_leg A packets) lost=$(of_leg A lost)
start src sender python3 "$here/rtp_send.py" --count 20000 --rate 20000 --first 6464 \
  --leg "interface=a0,source=10.1.0.5,to=$leg_a"
sender=$started
sleep 0.3
worker=$(grep -l "^worker-core" /proc/"$gate"/task/*/comm | cut -d/ -f5)
python3 "$here/stall_threads.py" 500 "$worker"
await_sender
end_castgate
stop_captures
read -r packets losses < <(awk '$1 == "news" && $2 == "A" {print $4, $5}' "$work/castgate.log")
[[ $((losses - lost)) -gt 1000 ]] || fail "the ring held it all: $((losses - lost)) lost"
told=$((packets - received + losses - lost))
[[ $told -eq 20000 ]] || fail "of 20000 packets $told are told as received or lost"
grep -q "^ledger: .* balances$" "$work/castgate.log" || fail "no ledger that balances at the end"
echo "restarted in $restart ms, $flaps flaps, $((losses - lost)) of 20000 lost in the ring and told"
