#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# castgate-node at two relays over two wires: both lose packets for a while, one is killed in the
# middle, and nothing is lost: what was written equals what the source made. The relays are
# tests/support/fake_relay.py; relay() is the one place that knows.
# CG_NODE_SECONDS (default 20): how long.
source "$(dirname "$0")/lib.sh"

node=${CASTGATE_NODE:-$here/../../build-test/controlplane/node/castgate-node}
[[ -x $node ]] || fail "no program at $node: build first"
seconds=${CG_NODE_SECONDS:-20}
rate=1000
begin=$(($(date +%s) + 2))
middle=$((seconds / 2)) # when the first relay dies, from the first packet

namespace node a b
wire a to_node node from_a
wire b to_node node from_b
ip -n "${prefix}a" address add 10.1.0.1/24 dev to_node
ip -n "${prefix}b" address add 10.2.0.1/24 dev to_node
ip -n "${prefix}node" address add 10.1.0.2/24 dev from_a
ip -n "${prefix}node" address add 10.2.0.2/24 dev from_b

# A relay of the stream news1 at port 8080; its pid is in $started.
relay() { # NAME ADDRESS OPTION...
  local name=$1 address=$2
  shift 2
  start "$name" "relay-$name" python3 "$here/../support/fake_relay.py" --listen "$address:8080" \
    --source "$address:5000" --log "$work/$name.events" --rate "$rate" --begin "$begin" "$@"
  await 10 "relay $name" grep -q '"event": "ready"' "$work/$name.events"
}

# So many more packets of each relay than when this was first asked, as the node tells.
more_of_both() { # PACKETS
  python3 - "$work/receive.log" "$work/before" "$1" <<'PYTHON'
import json, pathlib, sys

lines = pathlib.Path(sys.argv[1]).read_text().splitlines(keepends=True)
told = [json.loads(line) for line in lines if line.endswith("\n")]
now = [relay["packets"] for relay in told[-1]["relays"]] if told else [0, 0]
before = pathlib.Path(sys.argv[2])
if not before.exists():
    before.write_text(json.dumps(now))
then = json.loads(before.read_text())
if any(a - b < int(sys.argv[3]) for a, b in zip(now, then)):
    sys.exit(1)
before.unlink()
PYTHON
}

happened() { grep -c "\"event\": \"$2\"" "$work/$1.events" || true; } # NAME EVENT

# Each loses a twentieth, never what the other loses, from when both are joined until shortly before
# the first one's end. Neither is the other's equal in time.
relay a 10.1.0.1 --seed 1 --lose 0.1 --lose-of 0/2
first=$started
relay b 10.2.0.1 --seed 2 --lose 0.1 --lose-of 1/2 --delay 0.008
second=$started

start node receive "$node" receive rest://10.1.0.1/news1 rest://10.2.0.1/news1 \
  --to "file:$work/out.ts" --seconds "$seconds" --max-skew 1s --json
receiver=$started
await 10 "the stream" test -s "$work/out.ts"
proved() { [[ $(happened a PUT) -ge 1 && $(happened b PUT) -ge 1 ]]; }
await 10 "the proof of both" proved
await 10 "packets of both" more_of_both 100 # from here on each has what the other lacks
kill -USR1 "$first" "$second"
sleep "$((middle - 3))"
kill -USR2 "$first" "$second"
await 10 "what both have" more_of_both 500
kill -KILL "$first"
wait "$first" 2>/dev/null || unset "background[$first]"

result=0
wait "$receiver" || result=$?
unset "background[$receiver]"
[[ $result -eq 0 ]] || fail "castgate-node ended with $result: $(tail -n 1 "$work/receive.log")"

python3 "$here/../support/check_media.py" "$work/out.ts" >"$work/judged" 2>&1 ||
  fail "what was written is not what the source made: $(cat "$work/judged")"
for relay in a b; do
  [[ $(happened "$relay" joined) -eq 1 ]] || fail "relay $relay saw no joined, or several"
  # A relay sends it again after a second in which a slow machine has not answered.
  [[ $(happened "$relay" proof) -ge 1 ]] || fail "relay $relay sent no proof"
  [[ $(happened "$relay" PUT) -ge 1 ]] || fail "relay $relay saw no answer to its proof"
done
[[ $(happened b left) -eq 1 ]] || fail "relay b was not told that the receiver leaves"
if ((seconds > 22)); then
  [[ $(happened b PUT) -ge 2 ]] || fail "the lease at relay b was not renewed"
fi

python3 - "$work/receive.log" "$seconds" "$rate" "$(cat "$work/judged")" <<'PYTHON'
import json, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
last, asked = lines[-1], int(sys.argv[2]) * int(sys.argv[3])
a, b = last["relays"]
assert last["summary"] and last["lost"] == 0, last
assert sys.argv[4].startswith(f"{last['packets']} packets"), (sys.argv[4], last)
assert abs(last["packets"] - asked) < 0.1 * asked, (last["packets"], asked)
assert a["lost"] > 50 and b["lost"] > 50, "the paths lost nothing: a scene that shows nothing"
assert 0.2 * asked < a["packets"] < 0.8 * asked, "the first relay did not die in the middle"
assert a["foreign"] == b["foreign"] == 0, last
assert any(line["relays"][0]["silent"] for line in lines), "nobody said that a relay fell silent"
PYTHON
echo "$(cat "$work/judged"); a relay was killed after $middle s: 0 lost"
