# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The scene of the tests with clients: one sender, castgate, ports to clients over IPv4 and IPv6,
# one that Linux has (`kernel`) and, where it is asked for, one that it has not (`twin`). Sourced
# after lib.sh.
#
#   src ── a0 ── red0 ── gate ── out0 ── ...
#                             ── out1 ── in1 ── dst, of `twin`

one_path() { # NAMESPACE INTERFACE: what out0 leads to
  namespace src gate "$1"
  wire src a0 gate red0
  wire gate out0 "$1" "$2"
  ip -n "${prefix}gate" address add 10.1.0.2/24 dev red0
  ip -n "${prefix}gate" address add 10.9.0.2/24 dev out0
  ip -n "${prefix}gate" address add 2001:db8:9::2/64 dev out0
}

# A host with both versions of IP, number 5 in the net: 10.NET.0.0/24 and 2001:db8:NET::/64.
host_in_net() { # NAMESPACE INTERFACE NET [NUMBER]
  ip -n "$prefix$1" address add "10.$3.0.${4:-5}/24" dev "$2"
  ip -n "$prefix$1" address add "2001:db8:$3::${4:-5}/64" dev "$2"
}

two_ports_to_clients() {
  one_path dst in0
  wire gate out1 dst in1
  host_in_net dst in0 9
  host_in_net dst in1 8
}

# The pipeline of this scene: an output a port, named as the port is.
one_path_pipeline() { # FILE NAME UNICAST PORT...
  local file=$1 name=$2 unicast=$3 port
  local -A ports=(
    [kernel]='"net_af_packet1,iface=out0", addresses: [10.9.0.2/24, "2001:db8:9::2/64"]'
    [twin]='"net_af_xdp0,iface=out1", addresses: [10.8.0.2/24, "2001:db8:8::2/64"]')
  shift 3
  {
    cat <<YAML
schema: 1
appliance: {name: $name, worker_cores: [1], control_core: 0, state_dir: $work/state,
            control_socket: $CASTGATE_SOCKET, event_log: $work/events.jsonl}
ports:
  red: {device: "net_af_packet0,iface=red0", addresses: [10.1.0.2/24]}
YAML
    for port; do echo "  $port: {device: ${ports[$port]}}"; done
    cat <<YAML
streams:
  news:
    legs: {A: {port: red, to: 239.1.0.1:5000}}
    sequence: rtp
    outputs:
YAML
    for port; do echo "      $port: {port: $port, unicast: {$unicast}}"; done
  } >"$file"
}

send_on_one_path() { # COUNT RATE [OPTION...]
  local count=$1 rate=$2
  shift 2
  start src sender python3 "$here/rtp_send.py" --count "$count" --rate "$rate" "$@" \
    --leg "interface=a0,source=10.1.0.5,to=239.1.0.1:5000"
  sender=$started
}
