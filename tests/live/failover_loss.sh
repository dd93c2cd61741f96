#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two paths lose 1 % each, one is 4 ms longer: what leaves is the union of the legs, in order, and
# a stock receiver misses exactly what both paths lost.
# failover_loss.sh [PACKETS]
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"
count=${1:-10000}

two_paths 10
two_path_pipeline "$work/scene.yaml"
capture gate red0
capture gate blue0
capture dst in0
run_castgate gate "$work/scene.yaml"
send_on_two_paths "$count" 4
await_sender
end_castgate
stop_captures

oracle --header --tshark-lost "$(tshark_lost)" || fail "the merge lost, repeated or changed packets"
