# SPDX-License-Identifier: Apache-2.0
"""What classify reads and replicate writes: VLAN, QinQ, IPv4, IPv6, TTL, DSCP and checksums."""
import dataclasses

import harness
from harness import case, document, equal

import frames
import lossy_pair

PACKETS = 400
V4 = lossy_pair.Leg("10.1.0.5", "239.1.0.1", 5000, loss=0.02, tos=0x2A)
V4_LATE = lossy_pair.Leg("10.2.0.5", "239.2.0.1", 5002, loss=0.02, skew_ns=2_000_000, tos=0x2A)
V6 = lossy_pair.Leg("2001:db8:1::5", "ff3e::1:1", 5000, loss=0.02, tos=0x2A)
V6_LATE = lossy_pair.Leg("2001:db8:2::5", "ff3e::2:1", 5002, loss=0.02, skew_ns=2_000_000, tos=0x2A)
OUT_MAC = "02:00:00:00:00:03"
OUT4 = lossy_pair.Output("239.9.0.1", 5000, "10.0.0.9", OUT_MAC)
OUT6 = lossy_pair.Output("ff3e::9:1", 5000, "2001:db8:9::9", OUT_MAC)


def endpoint(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def vlan_key(tags):
    return {"vlan": tags[0] if len(tags) == 1 else ".".join(map(str, tags))} if tags else {}


def leg_keys(leg, port):
    return {"port": port, "from": leg.source, "to": endpoint(leg.group, leg.port),
            **vlan_key(leg.vlans)}


def output_keys(output, port="out"):
    keys = {"port": port, "to": endpoint(output.group, output.port), "source": output.source,
            **vlan_key(output.vlans)}
    if output.ttl != 16:
        keys["ttl"] = output.ttl
    if output.dscp is not None:
        keys["dscp"] = output.dscp
    if output.source_port:
        keys["source_port"] = output.source_port
    return keys


def through(scene, legs, outputs, *, payload_of=None, ports=None):
    """Replays one stream over `legs` to `outputs`, each on a port of its own, against what the
    generator says must come out of each."""
    stream = lossy_pair.Stream(PACKETS, 65400)
    came = [lossy_pair.arrivals(stream, leg, f"leg {number}") for number, leg in enumerate(legs)]
    ins = {port: scene.capture(f"{port}.pcap", lossy_pair.leg_packets(stream, leg, arrived))
           for port, leg, arrived in zip(("red", "blue"), legs, came)}
    names = ["out"] + [f"out{number}" for number in range(2, len(outputs) + 1)]
    settings = {name: {"mac": output.source_mac} for name, output in zip(names, outputs)}
    pipeline = document({"AB"[number]: leg_keys(leg, port)
                         for number, (leg, port) in enumerate(zip(legs, ("red", "blue")))},
                        {name: output_keys(output, name) for name, output in zip(names, outputs)},
                        ports={**settings, **(ports or {})})
    expect = {name: scene.capture(f"expect_{name}.pcap",
                                  lossy_pair.expected_packets(stream, output, *came,
                                                              tos=legs[0].tos))
              for name, output in zip(names, outputs)}
    got = scene.replay(scene.pipeline(pipeline), ins, {name: f"{name}.pcap" for name in names},
                       expect)
    for name in names:
        harness.judged_by_tshark(got.outs[name])
    return got


@case
def vlan_in_and_vlan_out(scene):
    through(scene, [dataclasses.replace(V4, vlans=(43,)), V4_LATE],
            [dataclasses.replace(OUT4, vlans=(7,))])


@case
def qinq_in_and_qinq_out(scene):
    through(scene, [dataclasses.replace(V4, vlans=(100, 43)),
                    dataclasses.replace(V4_LATE, vlans=(100, 44))],
            [dataclasses.replace(OUT4, vlans=(200, 7))])


@case
def one_stream_leaves_by_many_outputs_each_with_its_own_headers(scene):
    got = through(scene, [V4, V4_LATE],
                  [OUT4,
                   dataclasses.replace(OUT4, group="239.9.0.2", port=6000, vlans=(7,), ttl=3),
                   dataclasses.replace(OUT4, group="232.1.2.3", source="10.0.0.10", dscp=46,
                                       source_port=4000, vlans=(200, 7)),
                   OUT6])
    packets = [output["packets"] for output in got.stream()["outputs"]]
    equal(packets, [got.stream()["forwarded"]] * 4, "packets of the outputs")


@case
def ipv6_in_and_ipv6_out(scene):
    through(scene, [V6, V6_LATE], [OUT6])


@case
def ipv6_goes_out_as_ipv4_and_the_other_way_round(scene):
    through(scene, [V6, V6_LATE], [OUT4])
    through(scene, [V4, V4_LATE], [dataclasses.replace(OUT6, vlans=(9,), dscp=10, ttl=200)])


@case
def one_leg_is_ipv4_and_the_other_ipv6(scene):
    through(scene, [V4, V6_LATE], [OUT4, OUT6])


@case
def same_group_in_two_vlans_is_two_legs(scene):
    """Both legs on one port: only the tag tells them apart."""
    stream = lossy_pair.Stream(PACKETS, 7)
    legs = [dataclasses.replace(V4, vlans=(43,)), dataclasses.replace(V4, vlans=(44,))]
    came = [lossy_pair.arrivals(stream, leg, str(leg.vlans)) for leg in legs]
    both = sorted(packet for leg, arrived in zip(legs, came)
                  for packet in lossy_pair.leg_packets(stream, leg, arrived))
    pipeline = document({"A": leg_keys(legs[0], "red"), "B": leg_keys(legs[1], "red")},
                        {"main": output_keys(OUT4)})
    got = scene.replay(scene.pipeline(pipeline), {"red": scene.capture("red.pcap", both)}, {},
                       {"out": scene.capture("expect.pcap", lossy_pair.expected_packets(
                           stream, OUT4, *came, tos=V4.tos))})
    equal([got.leg("A")["packets"], got.leg("B")["packets"]], [len(one) for one in came], "legs")


def unsummed(scene, outputs):
    """A stream without UDP checksums, to outputs each on a port of its own."""
    stream = lossy_pair.Stream(PACKETS, 100)
    sent = [(stream.sent(index),
             frames.datagram(payload, V4.source, V4.group, V4.port, udp_fields={"checksum": 0}))
            for index, payload in enumerate(stream.payloads)]
    expect = {port: scene.capture(f"expect_{port}.pcap", [
        (0, output.frame(payload, count, checksum=None if ":" in output.group else 0))
        for count, payload in enumerate(stream.payloads)]) for port, output in outputs.items()}
    pipeline = document({"A": leg_keys(V4, "red")},
                        {port: output_keys(output, port) for port, output in outputs.items()},
                        ports={port: {"mac": OUT_MAC} for port in outputs})
    return scene.replay(scene.pipeline(pipeline), {"red": scene.capture("red.pcap", sent)},
                        {port: f"{port}.pcap" for port in outputs}, expect)


@case
def missing_udp_checksum_stays_missing_over_ipv4(scene):
    got = unsummed(scene, {"out": OUT4})
    harness.judged_by_tshark(got.outs["out"], unsummed=True)


@case
def missing_udp_checksum_is_made_over_ipv6(scene):
    got = unsummed(scene, {"out": OUT6})
    harness.judged_by_tshark(got.outs["out"])


@case
def every_payload_sum_gives_a_valid_checksum(scene):
    """Payloads whose sums are near zero: where one's complement has its two zeros."""
    sent, wanted = [], []
    for index in range(1024):
        payload = frames.rtp((0xFFFF - 32 * (index // 32) - index % 32).to_bytes(2, "big") * 2
                             + index.to_bytes(2, "big"), index, 0, 0)
        sent.append((lossy_pair.START + index * 500_000,
                     frames.datagram(payload, V4.source, V4.group, V4.port)))
        wanted.append((0, OUT4.frame(payload, index)))
    pipeline = document({"A": leg_keys(V4, "red")}, {"main": output_keys(OUT4)})
    got = scene.replay(scene.pipeline(pipeline), {"red": scene.capture("red.pcap", sent)},
                       {"out": "out.pcap"}, {"out": scene.capture("expect.pcap", wanted)})
    harness.judged_by_tshark(got.outs["out"])


@case
def identification_wraps_after_65536_packets(scene):
    count = 65536 + 40
    payloads = [frames.rtp(b"", index, index) for index in range(count)]
    sent = [(lossy_pair.START + index * 100_000,
             frames.datagram(payload, V4.source, V4.group, V4.port, udp_fields={"checksum": 0}))
            for index, payload in enumerate(payloads)]
    pipeline = document({"A": leg_keys(V4, "red")}, {"main": output_keys(OUT4)},
                        failover={"max_rate": "20kpps"})
    got = scene.replay(scene.pipeline(pipeline), {"red": scene.capture("red.pcap", sent)},
                       {"out": "out.pcap"})
    seen = [int.from_bytes(frame[18:20], "big") for _, frame in got.out("out")]
    equal(seen, [index % 65536 for index in range(count)], "identifications")


@case
def missing_udp_checksum_is_made_for_one_of_several_outputs(scene):
    """The payload is shared then: it does not lie behind the header that is written."""
    got = unsummed(scene, {"out": OUT4, "out2": OUT6})
    harness.judged_by_tshark(got.outs["out"], unsummed=True)
    harness.judged_by_tshark(got.outs["out2"])
