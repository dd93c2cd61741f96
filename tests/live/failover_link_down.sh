#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The link of each leg goes down for a second, one after the other: nothing is lost.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

link() { ip -n "${prefix}net" link set "$1" "$2"; }

two_paths 0
two_path_pipeline "$work/scene.yaml"
capture gate red0
capture gate blue0
capture dst in0
run_castgate gate "$work/scene.yaml"
send_on_two_paths 6000 4
sleep 1
link na1 down
sleep 1
link na1 up
sleep 1
link nb1 down
sleep 1
link nb1 up
await_sender
end_castgate
stop_captures

oracle --header --tshark-lost 0 || fail "a link that went down cost packets"
on_a=$(received_on red0 "$leg_a")
on_b=$(received_on blue0 "$leg_b")
[[ $on_a -lt 5500 && $on_b -lt 5500 ]] ||
  fail "of 6000 packets leg A had $on_a and leg B $on_b: a link was never down"
echo "both links went down: of 6000 packets leg A had $on_a, leg B $on_b, and 6000 came out"
