#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two switches that snoop: first with a querier, then without one, while each still forgets a
# membership that nobody refreshes. castgate must refresh its own: no gap.
# failover_querier.sh [SECONDS_WITHOUT_A_QUERIER [SECONDS_A_SWITCH_REMEMBERS]]
# The default shortens the switches' memory, 260 s, to 20 s; `300 260` is the field's own figure.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"
quiet=${1:-45}
memory=${2:-20}
heard=10

# A switch in the way of the legs, with our clock: in hundredths of a second, as sysfs has it.
snoop() { # BRIDGE
  ip -n "${prefix}net" link set "$1" type bridge mcast_snooping 1 mcast_querier 1 \
    mcast_igmp_version 3 mcast_startup_query_interval 100 mcast_query_interval 500 \
    mcast_query_response_interval 100 mcast_membership_interval $((memory * 100)) \
    mcast_last_member_interval 100
}

# From now on the switches' queries reach nobody. A switch that stopped asking would also stop
# pruning (Linux does); one whose queries are lost prunes on, which is the case to survive.
silence_queriers() {
  within net nft -f - <<'NFT'
table bridge silence {
  chain out {
    type filter hook output priority 0;
    ether type ip ip protocol igmp drop
  }
}
NFT
}

# A host that joins once and never again: it must lose the stream, else the scene proves nothing.
forgetful_host() {
  namespace host
  wire net nh0 host eth0
  ip -n "${prefix}net" link set nh0 master bra
  ip -n "${prefix}host" address add 10.1.0.9/24 dev eth0
  capture host eth0
  start host joiner python3 -c "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
             socket.inet_aton('${leg_a%:*}') + socket.inet_aton('10.1.0.9'))
time.sleep(3600)"
}

two_paths 0
snoop bra
snoop brb
two_path_pipeline "$work/scene.yaml"
forgetful_host
capture gate red0
capture gate blue0
capture dst in0
run_castgate gate "$work/scene.yaml"
sleep 3 # memberships reach the switches
send_on_two_paths $(((heard + quiet) * 1000)) 4
sleep "$heard"
silence_queriers
await_sender
end_castgate
stop_captures

oracle --header --tshark-lost 0 || fail "the merge lost packets"
received=("$(received_on red0 "$leg_a")" "$(received_on blue0 "$leg_b")"
  "$(received_on eth0 "$leg_a")")
sent=$(((heard + quiet) * 1000))
[[ ${received[0]} -eq $sent && ${received[1]} -eq $sent ]] ||
  fail "of $sent packets leg A had ${received[0]}, leg B ${received[1]}: a membership lapsed"
[[ $quiet -lt $((memory + 5)) || ${received[2]} -lt $sent ]] ||
  fail "the host that never refreshed lost nothing: these switches do not prune"
echo "$quiet s without a querier, switches remember $memory s: $sent of $sent on both legs;" \
  "a host that does not refresh had ${received[2]}"
