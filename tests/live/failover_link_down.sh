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
for leg in red0,$leg_a blue0,$leg_b; do
  received=$(python3 "$here/rtp_oracle.py" --measure --leg "$work/$leg" --out "$work/$leg" |
    awk '{print $2}')
  [[ $received -lt 5500 ]] || fail "leg ${leg%%,*} had $received packets: its link was never down"
done
echo "both links went down, 6000 packets came out"
