#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What every driver that we name puts on the wire, byte by byte, and receives from it: single and
# chained packets, shared payloads, clones, VLAN tags, a link that goes down.
#   ports.sh [DRIVER...]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=${PORTS_BYTES_TEST:-$here/../../build-test/tests/live/ports_bytes_test}
if [[ $(id -u) -ne 0 ]]; then
  echo "network namespaces need root"
  exit 77
fi
[[ -x $program ]] || { echo "no program at $program: build first"; exit 1; }

space=${CG_SCENE_PREFIX:-cg}$$ports
work=$(mktemp -d)
trap 'ip netns del "$space" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
ip netns add "$space"
ip -n "$space" link add red0 type veth peer name wire0
ip -n "$space" link set red0 up
ip -n "$space" link set wire0 up

memif="id=0,socket=$work/memif.sock,socket-abstract=no"
declare -A device=([net_ring]=net_ring0 [net_tap]="net_tap0,iface=tap0"
  [net_memif]="net_memif0,role=server,$memif"
  [net_af_packet]="net_af_packet0,iface=red0" [net_af_xdp]="net_af_xdp0,iface=red0")
declare -A judge=([net_ring]=self [net_tap]=tap0 [net_memif]="net_memif1,role=client,$memif"
  [net_af_packet]=wire0 [net_af_xdp]=wire0)
passed=0 names=() without=()

# What the kernel must offer, asked of the kernel and not of the code under test.
supported() { # DRIVER
  case $1 in
    net_tap) [[ -c /dev/net/tun ]] ;;
    net_af_xdp) python3 -c 'import socket; socket.socket(44, socket.SOCK_RAW)' 2>/dev/null ;;
  esac
}

[[ $# -gt 0 ]] || set -- net_ring net_tap net_memif net_af_packet net_af_xdp
tests=$("$program" x x --gtest_list_tests | sed -n 's/^  //p')
for driver; do
  if ! supported "$driver"; then
    without+=("$driver")
    continue
  fi
  # A process each: net_af_xdp keeps its socket until the process ends.
  for test in $tests; do
    timeout 60 ip netns exec "$space" "$program" "${device[$driver]}" "${judge[$driver]}" \
      --gtest_filter="PortsBytes.$test" >"$work/log" 2>&1 || {
      cat "$work/log"
      echo "$driver: $test"
      exit 1
    }
    grep -q '\[  SKIPPED \] 1 test' "$work/log" || passed=$((passed + 1))
  done
  names+=("$driver")
done
[[ ${#names[@]} -gt 0 ]] || { echo "this kernel offers none of: ${without[*]}"; exit 77; }
echo "$passed cases over ${names[*]}${without[0]:+; not offered by this kernel: ${without[*]}}"
