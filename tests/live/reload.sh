#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A hundred reloads under load: streams come, change and go, a bad file changes nothing, and two
# streams that flow all the while lose nothing beyond what both paths lost.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

reloads=100
two_paths 5
two_path_pipeline "$work/scene.yaml" "max_skew: 50ms"
base=$(<"$work/scene.yaml")
capture gate red0
capture gate blue0
capture dst in0

# What is read the Nth time: `news` keeps its legs and changes its max_skew every third time, up to
# three other streams are there or not, with outputs and skews that change.
scene() { # N
  local skew=$((40 + $1 / 3 * 7 % 30)) other
  echo "${base/max_skew: 50ms/max_skew: ${skew}ms}"
  for other in 1 2 3; do
    (($1 >> (other - 1) & 1)) || continue
    cat <<YAML
  other$other:
    legs:
      A: {port: red, to: "239.1.1.$other:5000"}
      B: {port: blue, to: "239.2.1.$other:5000"}
    sequence: $([[ $other -lt 3 ]] && echo rtp || echo fingerprint)
    failover: {max_skew: $((5 + $1 % 4))ms}
    outputs:
      main: {port: out, to: "239.9.1.$other:50$((10 + $1 % 5))", source: 10.9.0.9}
YAML
  done
}

told() { grep -cE "SIGHUP: $1" "$work/castgate.log" || true; }
reload() { # PATTERN: hangs up and waits until it is told
  local before
  before=$(told "$1")
  kill -HUP "$gate"
  for _ in {1..200}; do
    [[ $(told "$1") -eq $before ]] || return 0
    sleep 0.02
  done
  fail "no word of a reload: $1"
}
joined() { within gate ip maddress show dev red0 | grep -c "239.1.1.$1\$" || true; }

scene 0 >"$work/scene.yaml"
run_castgate gate "$work/scene.yaml"
send_on_two_paths 30000 4
await_forwarded 500
done_string='[0-9]+ streams added'
for ((n = 1; n <= reloads; n++)); do
  scene "$n" >"$work/scene.yaml"
  reload "$done_string"
  sleep 0.05
done
shown=$("$castgate" show streams --json | python3 -c '
import json, sys
print(" ".join(stream["name"] for stream in json.load(sys.stdin)["streams"]))')
[[ $shown == "news other3" ]] || fail "after the last reload there are: $shown"
[[ $(joined 3) -eq 1 && $(joined 1) -eq 0 ]] || fail "the groups that are joined are not the file's"

{ scene "$reloads" && printf '  sports: {legs: 7}\nnonsense: 1\n'; } >"$work/scene.yaml"
reload ".* has mistakes; what runs goes on"
grep -q "scene.yaml:[0-9]*:[0-9]*: .*nonsense" "$work/castgate.log" || fail "nonsense is not told"
grep -q "scene.yaml:[0-9]*:[0-9]*: streams.sports" "$work/castgate.log" || fail "sports is not told"
scene "$reloads" | sed 's/name: two-paths/name: three-paths/; s/iface=out0/iface=out1/' \
  >"$work/scene.yaml"
reload ".* has mistakes; what runs goes on"
for key in appliance.name ports.out; do
  grep -q "scene.yaml:[0-9]*:[0-9]*: $key: .*restart" "$work/castgate.log" || fail "$key: not told"
done
[[ $(told "$done_string") -eq $reloads ]] || fail "a bad file took effect"

await_sender
end_castgate
stop_captures
oracle --header || fail "packets were lost or changed"
longest=$(sed -n 's/.*held up for longer than \([0-9.]*\) us.*/\1/p' "$work/castgate.log" |
  sort -n | tail -n 1)
changed=$(grep -cE "[1-9][0-9]* changed" "$work/castgate.log")
[[ $changed -gt 30 ]] || fail "only $changed reloads changed a stream"
echo "$reloads reloads, 0 lost; longest time that a worker was held up: $longest us"
