#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SIGHUP under load, a thousand times with the same file and once with mistakes: what runs goes on,
# nothing is lost, nothing grows.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

resident() { awk '/^VmRSS/ {print $2}' "/proc/$gate/status"; } # KiB
told() { grep -c "SIGHUP: .* $1" "$work/castgate.log" || true; }

two_paths 0
two_path_pipeline "$work/scene.yaml"
capture gate red0
capture gate blue0
capture dst in0
run_castgate gate "$work/scene.yaml"
send_on_two_paths 9000 4
await_forwarded 500
hang_up() { # TIMES
  for ((i = 0; i < $1; i++)); do
    kill -HUP "$gate"
    sleep 0.003
  done
}
hang_up 100
before=$(resident)
hang_up 900
cp "$work/scene.yaml" "$work/good.yaml"
printf '  sports: {legs: 7}\nnonsense: 1\n' >>"$work/scene.yaml"
hang_up 1
await 5 "the complaint" grep -q "SIGHUP: .* has mistakes; what runs goes on" "$work/castgate.log"
grep -q "scene.yaml:[0-9]*:[0-9]*: streams.sports" "$work/castgate.log" ||
  fail "the mistake is not named with its place"
grown=$(($(resident) - before))
[[ $grown -lt 4096 ]] || fail "memory grew by $grown KiB"
[[ $(told "is good") -gt 500 ]] || fail "only $(told "is good") of 1000 were heard"
await_sender
end_castgate
stop_captures
oracle --header || fail "packets were lost or changed"

# Whoever reads the log has gone: mistakes that nobody can be told of end nothing.
cp "$work/good.yaml" "$work/unread.yaml"
mkfifo "$work/log"
start gate reader cat "$work/log"
reader=$started
start gate unread bash -c 'exec "$1" run "$2" 2>"$3"' - "$castgate" "$work/unread.yaml" "$work/log"
gate=$started
await 20 "castgate with a reader" "$castgate" show streams
stop "$reader"
cp "$work/scene.yaml" "$work/unread.yaml"
hang_up 1
sleep 0.5
"$castgate" show streams >"$work/still" || fail "a complaint that nobody reads ended it"
end_castgate
echo "$(told "is good") heard, $grown KiB more"
