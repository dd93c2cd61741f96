# SPDX-License-Identifier: Apache-2.0
"""Which leg a packet is of, by port, group, UDP port and source; whose headers leave."""
import dataclasses

from harness import case, check, document, equal, fields
from header_cases import OUT4, PACKETS, V4, V4_LATE, leg_keys, output_keys

import lossy_pair


def told_apart(scene, legs, ports, foreign=()):
    """Replays legs that share what the case is about; `foreign` packets come with the first."""
    stream = lossy_pair.Stream(PACKETS, 65400)
    came = [lossy_pair.arrivals(stream, leg, f"leg {number}") for number, leg in enumerate(legs)]
    by_port = {}
    for leg, arrived, port in zip(legs, came, ports):
        by_port.setdefault(port, []).extend(lossy_pair.leg_packets(stream, leg, arrived))
    for stranger in foreign:
        by_port[ports[0]].extend(lossy_pair.leg_packets(stream, stranger, came[0]))
    ins = {port: scene.capture(f"{port}.pcap", sorted(packets))
           for port, packets in by_port.items()}
    pipeline = document({"AB"[number]: leg_keys(leg, port)
                         for number, (leg, port) in enumerate(zip(legs, ports))},
                        {"main": output_keys(OUT4)})
    expect = scene.capture("expect.pcap", lossy_pair.expected_packets(stream, OUT4, *came,
                                                                      tos=legs[0].tos))
    got = scene.replay(scene.pipeline(pipeline), ins, {"out": "out.pcap"}, {"out": expect})
    equal([got.leg("A")["packets"], got.leg("B")["packets"]], [len(one) for one in came], "legs")
    check(got.leg("A")["lost"] != got.leg("B")["lost"], "the legs lost alike: nothing is shown")
    return got, len(came[0])


@case
def same_group_and_udp_port_on_both_ports_are_two_legs(scene):
    told_apart(scene, [V4, dataclasses.replace(V4_LATE, group=V4.group, port=V4.port)],
               ["red", "blue"])


@case
def other_udp_port_of_the_same_group_is_another_leg(scene):
    told_apart(scene, [V4, dataclasses.replace(V4_LATE, group=V4.group)], ["red", "red"])


@case
def two_sources_on_one_group_are_two_legs_and_a_third_is_filtered(scene):
    third = dataclasses.replace(V4, source="10.3.0.5")
    got, strangers = told_apart(
        scene, [V4, dataclasses.replace(V4_LATE, group=V4.group, port=V4.port)], ["red", "red"],
        foreign=[third])
    equal(got.drops()["source_filter"], strangers, "packets of the third source")


@case
def virtual_stream_bears_the_configured_headers_and_right_checksums(scene):
    got, _ = told_apart(scene, [V4, V4_LATE], ["red", "blue"])
    told = fields(got.outs["out"], ["eth.src", "eth.dst", "ip.src", "ip.dst", "ip.ttl",
                                    "udp.srcport", "udp.dstport", "ip.checksum.status",
                                    "udp.checksum.status"])
    equal(len(told), got.stream()["forwarded"], "packets that tshark reads")
    equal(set(told), {("02:00:00:00:00:03", "01:00:5e:09:00:01", "10.0.0.9", "239.9.0.1", "16",
                       "5000", "5000", "1", "1")}, "headers by tshark")
