#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same scene (1 % loss on each path, the second 4 ms longer) for castgate and for the stock
# merge, one table. castgate must lose nothing that one leg brought; the stock merge is measured.
# failover_compare.sh [PACKETS]
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"
source "$(dirname "$0")/stock_merge.sh"
count=${1:-5000}
header=--header

scene() { # NAME, then a command that starts the merge; the oracle's verdict is the result
  local name=$1 judge=(--measure)
  shift
  [[ $name != castgate* ]] || judge=(--tshark-lost)
  capture gate red0
  capture gate blue0
  capture dst in0
  "$@"
  send_on_two_paths "$count" 4
  await_sender
  if [[ $name == castgate* ]]; then end_castgate; else stop "$gate"; fi
  stop_captures
  [[ ${judge[0]} == --measure ]] || judge+=("$(tshark_lost)")
  oracle ${header:+"$header"} --name "$name" "${judge[@]}" || fail "$name: the merge lost packets"
  header=
}

two_paths 10
two_path_pipeline "$work/scene.yaml"
scene "castgate ordered" run_castgate gate "$work/scene.yaml"
for latency in 10 50; do
  scene "stock merge ${latency} ms" run_stock_merge "$latency"
done
