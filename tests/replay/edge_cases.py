# SPDX-License-Identifier: Apache-2.0
"""The two ends of a worker: what is for the host, and what leaves."""
import frames
from harness import case, equal
from ingest_cases import GOOD, ip4, mixed


@case
def punt_has_no_host_in_replay_so_host_traffic_is_dropped_by_its_kind(scene):
    arp = frames.ethernet(bytes(46), "ff:ff:ff:ff:ff:ff", ether_type=frames.ARP)
    mixed(scene, [arp, ip4(bytes(8), protocol=frames.ICMP), ip4(bytes(8), protocol=frames.IGMP)],
          {"not_ip": 1, "not_udp": 2})


@case
def transmit_sends_everything_that_replicate_made(scene):
    got = mixed(scene, [], {})
    equal(got.port("out")["tx_packets"], GOOD, "packets that transmit gave to the port")
