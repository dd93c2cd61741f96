#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Leg B dies without a word while its link stays up: two alarms, by their own dates within two
# periods of two seconds, and not a packet lost; both are cleared when it is back. And each position
# of a moment that both legs lost is in the event log.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

# Nothing of a leg passes the switch while this stands; castgate's own link stays up.
cut() { # INTERFACE...
  local interface
  for interface; do
    within net nft "add table netdev cut_$interface; add chain netdev cut_$interface in \
      { type filter hook ingress device $interface priority 0; }; \
      add rule netdev cut_$interface in ip daddr 239.0.0.0/8 drop"
  done
}
mend() { # INTERFACE...
  local interface
  for interface; do within net nft "delete table netdev cut_$interface"; done
}

stands() { # ALARM...
  local alarm
  "$castgate" show alarms >"$work/alarms.txt"
  for alarm; do grep -q " $alarm " "$work/alarms.txt" || return 1; done
}
calm() { "$castgate" show alarms | grep -qx "no alarms"; }

# Seconds from the cut to the latent error, by castgate's own dates.
judge_events() {
  python3 - "$work/events.jsonl" "$began" <<'PYTHON'
import datetime
import json
import sys

lines = [json.loads(line) for line in open(sys.argv[1])]
seen = [(line["event"], line["id"]) for line in lines if "id" in line]
for alarm in ("leg_silent/news/B", "latent_error/news/B"):
    assert seen.count(("alarm_raised", alarm)) >= 1, (alarm, seen)
    assert seen.count(("alarm_cleared", alarm)) >= 1, (alarm, seen)
lost = sum(line["to"] - line["from"] + 1 for line in lines if line["event"] == "gap")
assert lost >= 40, lost
raised = [datetime.datetime.fromisoformat(line["at"][:26] + "+00:00").timestamp() for line in lines
          if line["event"] == "alarm_raised" and line["id"] == "latent_error/news/B"]
took = min(moment for moment in raised if moment > float(sys.argv[2])) - float(sys.argv[2])
assert took < 4.5, took
print(f"{took:.1f}")
PYTHON
}

two_paths 0
two_path_pipeline "$work/scene.yaml"
sed -i "s|^  name: two-paths|&\n  event_log: $work/events.jsonl|" "$work/scene.yaml"
capture gate red0
capture gate blue0
capture dst in0
run_castgate gate "$work/scene.yaml"
send_on_two_paths 40000 4
sleep 3
await 30 "calm" calm

cut nb0
began=$(date +%s.%N)
await 30 "leg_silent and latent_error of leg B" stands leg_silent latent_error
mend nb0
await 30 "the end of the alarms" calm
cut na0 nb0
sleep 0.1
mend na0 nb0
await_sender
end_castgate
stop_captures

oracle --header || fail "the output is not all that came in on the legs"
took=$(judge_events) || fail "the event log is not the scene"
lost=$(sed -nE 's/.*"event":"gap".*"from":([0-9]+),"to":([0-9]+).*/\1 \2/p' "$work/events.jsonl" |
  awk '{n += $2 - $1 + 1} END {print n + 0}')
missing=$((40000 - $(received_on in0 "$virtual")))
[[ $lost -eq $missing ]] ||
  fail "the event log tells of $lost positions, but $missing of 40000 did not come out"
echo "leg B silent: both alarms after $took s; both legs cut: $lost positions, all in the log"
