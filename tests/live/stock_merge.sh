# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The merge that stock tools offer: GStreamer's funnel into rtpjitterbuffer. Sourced after
# two_paths.sh.

run_stock_merge() { # LATENCY_MS
  local caps="application/x-rtp,media=audio,clock-rate=48000,encoding-name=L16"
  caps+=",channels=1,payload=96"
  ip -n "${prefix}gate" route replace 239.9.0.0/16 dev out0
  start gate stock_merge gst-launch-1.0 \
    udpsrc address=239.1.0.1 port=5000 multicast-iface=red0 buffer-size=8000000 caps="$caps" \
    ! queue ! merge. \
    udpsrc address=239.2.0.1 port=5002 multicast-iface=blue0 buffer-size=8000000 caps="$caps" \
    ! queue ! merge. \
    funnel name=merge ! rtpjitterbuffer latency="$1" \
    ! udpsink host=239.9.0.1 port=5000 multicast-iface=out0 auto-multicast=true sync=false \
    async=false
  gate=$started
  await 20 "the stock merge" grep -q "Setting pipeline to PLAYING" "$work/stock_merge.log"
  sleep 1
}
