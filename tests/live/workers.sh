#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two workers: streams are handed over between them and leave through one queue, a stall of one is
# an alarm and loses nothing, a stall of all stops the watchdog, idle workers sleep, and an end
# under load leaves nothing behind.
# workers.sh [PACKETS]
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"
count=${1:-6000}

streams_pipeline() { # FILE
  local s
  two_path_pipeline "$1"
  sed -i "s/worker_cores: .*/worker_cores: [0, 1]/; /^streams:/,\$d" "$1"
  echo "streams:" >>"$1"
  for s in 1 2 3 4; do
    cat >>"$1" <<YAML
  news$s:
    legs:
      A: {port: red, to: "239.1.0.$s:5000"}
      B: {port: blue, to: "239.2.0.$s:5002"}
    sequence: rtp
    failover: {max_skew: 200ms}
    outputs:
      main: {port: out, to: "239.9.0.$s:5000", source: 10.9.0.9}
YAML
  done
}

send_streams() { # COUNT
  local s legs=()
  for s in 1 2 3 4; do
    legs+=(--leg "interface=a0,source=10.1.0.5,to=239.1.0.$s:5000"
      --leg "interface=b0,source=10.2.0.5,to=239.2.0.$s:5002,delay_ms=4")
  done
  start src sender python3 "$here/rtp_send.py" --count "$1" --rate 500 "${legs[@]}"
  sender=$started
}

worker_threads() { grep -l "^worker-core" /proc/"$gate"/task/*/comm | cut -d/ -f5; }

of_workers() { # PYTHON EXPRESSION over w, the list of workers
  "$castgate" show workers --json |
    python3 -c "import json, sys; w = json.load(sys.stdin)['workers']; print($1)"
}

ticks_of_workers() { # all together, in USER_HZ
  local thread sum=0
  for thread in $(worker_threads); do
    sum=$((sum + $(awk '{print $14 + $15}' "/proc/$gate/task/$thread/stat")))
  done
  echo "$sum"
}

two_paths 10
streams_pipeline "$work/scene.yaml"
capture gate red0
capture gate blue0
capture dst in0
start gate notify python3 "$here/notify_listener.py" "$work/notify.sock"
await 5 "the service manager's socket" test -S "$work/notify.sock"
export NOTIFY_SOCKET=$work/notify.sock WATCHDOG_USEC=10000000
run_castgate gate "$work/scene.yaml"
unset NOTIFY_SOCKET WATCHDOG_USEC
mapfile -t threads < <(worker_threads)
[[ ${#threads[@]} -eq 2 ]] || fail "there are ${#threads[@]} worker threads"

send_streams "$count"
sleep 2
for _ in {1..50}; do
  "$castgate" show --json >"$work/shown.json" || fail "show failed under load"
done
[[ $(of_workers "min(x['packets'] for x in w) > 1000") == True ]] || fail "a worker has no packets"
stalls=$(of_workers "w[1]['stalls']")
python3 "$here/stall_threads.py" 50 "${threads[1]}"
sleep 0.2
[[ $(of_workers "w[1]['stalls']") -gt $stalls ]] || fail "a stall of 50 ms was not counted"
grep -q "alarm worker_stalled raised: the worker on core 1 " "$work/castgate.log" ||
  fail "a stall of 50 ms was no alarm"
await_sender
stop_captures
for s in 1 2 3 4; do
  python3 "$here/rtp_oracle.py" --leg "$work/red0.pcap,239.1.0.$s:5000" \
    --leg "$work/blue0.pcap,239.2.0.$s:5002" --out "$work/in0.pcap,239.9.0.$s:5000" ||
    fail "stream $s lost, repeated or changed packets"
done

before=$(ticks_of_workers)
sleep 2
idle=$(($(ticks_of_workers) - before)) # of 400
[[ $idle -lt 120 ]] || fail "two idle workers used $idle of 400 ticks"

python3 "$here/stall_threads.py" 7500 "${threads[@]}"
sleep 2.2
gap=$(awk '/WATCHDOG=1/ {if (last && $1 - last > most) most = $1 - last; last = $1}
  END {print (most > 2.5 && most < 5.5) ? 1 : 0}' "$work/notify.log")
[[ $gap -eq 1 ]] || fail "the watchdog was served while no worker moved, or not before"

send_streams 100000
sleep 1.5
began=$(date +%s%N)
end_castgate
took=$((($(date +%s%N) - began) / 1000000))
stop "$sender"
[[ $took -le 1000 ]] || fail "castgate took $took ms to stop under load"
grep -q "^ledger: .* balances$" "$work/castgate.log" || fail "no ledger that balances at the end"
grep -q " held 0: balances$" "$work/castgate.log" || fail "packets were left behind"
echo "idle: $((idle / 4)) % of both cores; stopped under load after $took ms"
