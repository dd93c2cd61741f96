#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A running appliance is captured at two stages under load: every packet is in the capture, none is
# lost by it, and an aborted capture or a second one at the same time harms nobody.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

count=8000

two_paths 10
two_path_pipeline "$work/capture.yaml"
run_castgate gate "$work/capture.yaml"

capture_stages() { # LABEL ARGUMENTS...
  local label=$1
  shift
  start gate "$label" "$castgate" capture --seconds 30 "$@" -o "$work/$label.pcapng"
  await 5 "$label" test -s "$work/$label.pcapng"
}

packets_of() { # FILE STAGE WHERE
  tshark -r "$1" -T fields -e frame.interface_name -e frame.interface_description 2>/dev/null |
    grep -cx "$2"$'\t'"$3" || true
}

counter() { # JSON-PATH, as python
  "$castgate" show --json | python3 -c "import json, sys; s = json.load(sys.stdin); print($1)"
}

# The appliance's own counters are the judge: what tshark finds must be what it says it moved.
capture_stages flow --stage failover,drops --stream news
flow=$started
send_on_two_paths "$count" 4
for _ in 1 2 3; do
  code=0
  timeout -s INT 1 "$castgate" capture --stage rx -o - >"$work/refused" 2>&1 || code=$?
  [[ $code -eq 2 ]] || fail "a second capture ends with $code, not with 2"
  grep -q "another capture runs" "$work/refused" || fail "a second capture is not refused"
done
await_sender
kill -INT "$flow"
wait "$flow" || fail "the capture ended with an error: $(cat "$work/flow.log")"
unset "background[$flow]"

forwarded=$(counter 's["streams"][0]["forwarded"]')
redundant=$(counter 's["streams"][0]["redundant"]')
missed=$(counter 's["workers"][0]["capture_missed"]')
[[ $forwarded -gt $((count * 9 / 10)) ]] || fail "only $forwarded packets passed"
[[ $(packets_of "$work/flow.pcapng" failover "stream news") -eq $forwarded ]] ||
  fail "$(packets_of "$work/flow.pcapng" failover "stream news") captured, $forwarded forwarded"
[[ $(packets_of "$work/flow.pcapng" drops "stream news") -ge $redundant ]] ||
  fail "$(packets_of "$work/flow.pcapng" drops "stream news") drops, $redundant redundant"
[[ $missed -eq 0 ]] || fail "the capture missed $missed packets"
tshark -r "$work/flow.pcapng" -Y 'frame.interface_name == "drops"' -T fields -e frame.comment \
  2>/dev/null | sort -u | grep -qx redundant || fail "no drop says why"

# Limits: packets, time, length; a port; a pipe; a name that nobody has.
send_on_two_paths 3000 4
"$castgate" capture --stage rx --port red --count 50 --snaplen 60 -o "$work/few.pcapng"
[[ $(packets_of "$work/few.pcapng" rx "port red") -eq 50 ]] || fail "--count 50 is not 50 packets"
tshark -r "$work/few.pcapng" -T fields -e frame.cap_len 2>/dev/null | sort -u | grep -qx 60 ||
  fail "--snaplen 60 is not 60 bytes"
"$castgate" capture --stage transmit --count 20 -o - | tshark -r - 2>/dev/null | grep -c . |
  grep -qx 20 || fail "no capture through a pipe"
began=$(date +%s)
"$castgate" capture --stage restamp --seconds 1 -o "$work/second.pcapng"
[[ $(($(date +%s) - began)) -le 3 ]] || fail "--seconds 1 is longer than 3 s"
! "$castgate" capture --stage rx --port green -o "$work/none" 2>"$work/wrong.log" ||
  fail "an unknown port is taken"
grep -q "this appliance has: red, blue, out" "$work/wrong.log" || fail "known ports are not named"

# Killed in its middle, its place is free for the next at once.
capture_stages killed --stage rx
kill -KILL "$started"
wait "$started" || true
unset "background[$started]"
await 2 "an end of the killed capture" "$castgate" capture --stage rx --count 1 -o "$work/next"
await_sender
end_castgate
echo "$forwarded packets and $redundant redundant ones captured, $missed missed"
