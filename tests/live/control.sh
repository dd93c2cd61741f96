#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# castgate on ports without wires: served, refused a second time, stopped and gone within a second.
source "$(dirname "$0")/lib.sh"

cat >"$work/control.yaml" <<'YAML'
schema: 1
appliance: {name: control, worker_cores: [0], control_core: 0, hugepages: none}
ports:
  red: {device: net_null0}
  blue: {device: net_null1}
  out: {device: net_null2}
streams:
  news1:
    legs:
      A: {port: red, to: 239.1.0.1:5000}
      B: {port: blue, to: 239.2.0.1:5002}
    sequence: rtp
    outputs:
      main: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9}
YAML

says() { # WHAT COMMAND...; the output must hold a word
  local word=$1
  shift
  "$@" 2>&1 | grep -q -- "$word" || fail "castgate ${*:2} does not say: $word"
}

namespace gate
run_castgate gate "$work/control.yaml"

[[ $(stat -c %a "$CASTGATE_SOCKET") == 660 ]] || fail "the control socket is not for its group only"
for part in streams legs ports workers; do
  "$castgate" show "$part" --json | python3 -m json.tool >/dev/null || fail "show $part is no JSON"
done
says core "$castgate" show workers
says news1 "$castgate" show
says "in pps" "$castgate" top

result=0
within gate "$castgate" run "$work/control.yaml" >"$work/second.log" 2>&1 || result=$?
[[ $result -eq 2 ]] || fail "a second castgate ended with $result"
grep -q "runs there already" "$work/second.log" || fail "a second castgate does not say why"

began=$(date +%s%N)
end_castgate
took=$((($(date +%s%N) - began) / 1000000))
[[ $took -le 1000 ]] || fail "castgate took $took ms to stop"
grep -q "^ledger: .* balances$" "$work/castgate.log" || fail "no ledger that balances at the end"
! "$castgate" show 2>"$work/gone.log" || fail "somebody still answers"
grep -q "no castgate answers on" "$work/gone.log" || fail "show does not say that nobody answers"
echo "stopped after $took ms"
