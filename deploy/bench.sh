#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cycles per packet against a unit of the same run:
# deploy/bench.sh failover|bridge|protect|all [ROUNDS]; `threshold` is a table that
# unicast.copy_threshold was chosen by.
# Exits 1 where a floor is missed. Wants a quiet core; hugepages are used where there are some.
set -euo pipefail
cd "$(dirname "$0")/.."

area=${1:-failover}
rounds=${2:-11}
case $area in
  failover | bridge | protect | all | threshold) ;;
  *) echo "usage: deploy/bench.sh failover|bridge|protect|all|threshold [ROUNDS]" >&2; exit 2 ;;
esac

[ -f build-bench/build.ninja ] || meson setup build-bench --buildtype=release > /dev/null
ninja -C build-bench tests/bench/failover_bench tests/bench/bridge_bench tests/bench/udp_sender \
  tests/bench/threshold_bench tests/bench/protect_bench controlplane/castgate

page_kib=$(awk '/^Hugepagesize:/ {print $2}' /proc/meminfo)
free_mib=$(awk -v page="$page_kib" '/^HugePages_Free:/ {print int($2 * page / 1024)}' /proc/meminfo)
hugepages=0
if [ "$(id -u)" = 0 ] && [ "$free_mib" -ge 1024 ]; then
  hugepages=1024
else
  echo "no 1024 MiB of free hugepages for root: ordinary memory, a few percent slower" >&2
fi

[ "$area" != threshold ] || exec ./build-bench/tests/bench/threshold_bench "$rounds" "$hugepages"
status=0
if [ "$area" = protect ] || [ "$area" = all ]; then
  ./build-bench/tests/bench/protect_bench "$rounds" "$hugepages" || status=$?
  [ "$area" = all ] || exit "$status"
fi
if [ "$area" != failover ]; then
  ./build-bench/tests/bench/bridge_bench "$rounds" "$hugepages" || status=$?
  python3 tests/bench/copies_on_veth.py build-bench/controlplane/castgate \
    build-bench/tests/bench/udp_sender "$rounds" || status=$?
  python3 tests/bench/rest_joins.py build-bench/controlplane/castgate "$rounds" || status=$?
  python3 tests/bench/client_memory.py build-bench/controlplane/castgate || status=$?
  [ "$area" = all ] || exit "$status"
fi
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
./build-bench/tests/bench/failover_bench "$rounds" "$hugepages" | tee "$figures" || status=$?
tsc_mhz=$(awk '/^time stamp counter:/ {print $4}' "$figures")
python3 tests/bench/testpmd_mac.py "$hugepages" "$tsc_mhz" || status=$?
exit "$status"
