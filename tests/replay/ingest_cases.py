# SPDX-License-Identifier: Apache-2.0
"""Bad frames amid a good stream: classify drops each by the one right name, the process stays up,
and the good stream's bytes do not change."""
import struct

import harness
from harness import case, document, equal

import frames
import lossy_pair

SOURCE, GROUP, PORT = "10.1.0.5", "239.1.0.1", 5000
SOURCE6, GROUP6 = "2001:db8:1::5", "ff3e::1:1"
OUT = lossy_pair.Output("239.9.0.1", 5000, "10.0.0.9", "02:00:00:00:00:03")
GOOD = 200
BODY = frames.rtp(b"bad packet", 7)


def good(number):
    return frames.rtp(b"good packet", 1000 + number, number)


def udp4(**wrong):
    return frames.udp(BODY, SOURCE, GROUP, PORT, PORT, **wrong)


def ip4(payload=None, **wrong):
    return frames.ethernet(frames.ipv4(udp4() if payload is None else payload, SOURCE, GROUP,
                                       **wrong), GROUP, ether_type=frames.IPV4)


def ip6(payload=None, **wrong):
    body = frames.udp(BODY, SOURCE6, GROUP6, PORT, PORT) if payload is None else payload
    return frames.ethernet(frames.ipv6(body, SOURCE6, GROUP6, **wrong), GROUP6,
                           ether_type=frames.IPV6)


def mixed(scene, bad, drops, *, red=None, appliance=None, wrap=None, delivered=()):
    """Feeds 200 good packets with `bad` between them on port red; `drops` is what must be counted,
    and `delivered` the RTP payloads that must leave although they look odd, in order. `wrap` makes
    the frame of a good packet."""
    wrap = wrap or (lambda body: frames.datagram(body, SOURCE, GROUP, PORT))
    packets = [(lossy_pair.START + n * 1_000_000, wrap(good(n))) for n in range(GOOD)]
    packets += [(lossy_pair.START + (20 + n) * 1_000_000 + 5, frame)
                for n, frame in enumerate(bad)]
    legs = {"A": {"port": "red", "from": SOURCE, "to": f"{GROUP}:{PORT}"},
            "B": {"port": "red", "from": SOURCE6, "to": f"[{GROUP6}]:{PORT}"}}
    pipeline = document(legs, {"main": {"port": "out", "to": "239.9.0.1:5000",
                                        "source": "10.0.0.9"}}, ports={"red": red or {}})
    pipeline["appliance"].update(appliance or {})
    bodies = [*map(good, range(GOOD)), *delivered]
    expected = [(0, OUT.frame(body, count)) for count, body in enumerate(bodies)]
    got = scene.replay(scene.pipeline(pipeline),
                       {"red": scene.capture("red.pcap", sorted(packets))},
                       {"out": "out.pcap"}, {"out": scene.capture("expect.pcap", expected)})
    equal(got.drops(), drops, "drops")
    equal(got.port("red")["rx_packets"], len(packets), "packets of the port")
    own = {name: count for name, count in got.port("red")["drops"].items() if count}
    equal(own, {name: count for name, count in drops.items() if name != "redundant"}, "port drops")
    return got


def late_number(body=b"good packet", number=GOOD):
    """The payload that follows the good ones: what must be delivered although it looks odd."""
    return frames.rtp(body, 1000 + number, number)


def delivered_last(scene, frame_of, **how):
    """`frame_of(payload)` makes an odd frame that must go through like any other, as the last."""
    body = late_number()
    packets = [(lossy_pair.START + n * 1_000_000, frames.datagram(good(n), SOURCE, GROUP, PORT))
               for n in range(GOOD)]
    packets.append((lossy_pair.START + GOOD * 1_000_000, frame_of(body)))
    pipeline = document({"A": {"port": "red", "to": f"{GROUP}:{PORT}"},
                         "B": {"port": "red", "to": f"[{GROUP6}]:{PORT}"}},
                        {"main": {"port": "out", "to": "239.9.0.1:5000", "source": "10.0.0.9"}},
                        ports={"red": how.get("red", {})})
    expected = [(0, OUT.frame(payload, count))
                for count, payload in enumerate([*map(good, range(GOOD)), body])]
    got = scene.replay(scene.pipeline(pipeline), {"red": scene.capture("red.pcap", packets)},
                       {"out": "out.pcap"}, {"out": scene.capture("expect.pcap", expected)})
    equal(got.drops(), {}, "drops")
    return got


@case
def frame_without_a_whole_header_is_a_runt(scene):
    macs = frames.multicast_mac(GROUP) + frames.mac("02:00:00:00:00:01")
    mixed(scene, [b"", b"\1", macs, macs + b"\x08", macs + b"\x81\0", macs + b"\x81\0\0\x2b",
                  macs + b"\x88\xa8\0\1\x81\0\0"], {"runt": 7})


@case
def other_ether_types_are_not_ip(scene):
    mixed(scene, [frames.ethernet(bytes(46), "01:80:c2:00:00:0e", ether_type=kind)
                  for kind in (0x88CC, 0x8847, 0x0026, 0x0000, 0xFFFF)], {"not_ip": 5})


@case
def wrong_version_or_header_length_is_a_bad_header(scene):
    mixed(scene, [ip4(version=5), ip4(version=0), ip4(header_words=4), ip4(header_words=0),
                  ip4(length=19), frames.ethernet(frames.ipv4(udp4(), SOURCE, GROUP), GROUP,
                                                  ether_type=frames.IPV6)],
          {"ip_bad_header": 6})


@case
def header_options_are_parsed_over_and_counted(scene):
    for options in (b"\x94\x04\0\0", b"\1" * 40):
        got = delivered_last(scene, lambda body, options=options: frames.datagram(
            body, SOURCE, GROUP, PORT, ip={"options": options}))
        equal(got.port("red")["ip_options"], 1, "ip_options")


@case
def length_past_the_end_is_truncated(scene):
    whole = ip4()
    mixed(scene, [ip4(length=1400), ip4(length=65535), whole[:-1], whole[:34], whole[:20],
                  ip6()[:-1], ip6()[:50]], {"ip_truncated": 7})


@case
def ethernet_padding_does_not_leave(scene):
    def padded(body):
        return frames.datagram(body, SOURCE, GROUP, PORT) + b"\xAA" * 18
    mixed(scene, [], {}, wrap=padded)


@case
def bytes_after_the_udp_length_do_not_leave(scene):
    def short(body):
        segment = frames.udp(body, SOURCE, GROUP, PORT, PORT) + b"more"
        return frames.ethernet(frames.ipv4(segment, SOURCE, GROUP), GROUP)
    mixed(scene, [], {}, wrap=short)


@case
def bad_header_checksum_is_dropped_where_it_is_verified(scene):
    mixed(scene, [ip4(checksum=0), ip4(checksum=0xFFFF), ip4(checksum=1)], {"ip_checksum": 3})


@case
def bad_header_checksum_passes_where_the_port_says_so(scene):
    mixed(scene, [], {}, red={"verify": {"ip_checksum": False}},
          wrap=lambda body: frames.datagram(body, SOURCE, GROUP, PORT, ip={"checksum": 0}))


@case
def udp_length_that_does_not_fit_is_dropped(scene):
    mixed(scene, [ip4(udp4(length=7)), ip4(udp4(length=0)), ip4(udp4(length=1400)),
                  ip4(udp4()[:7]), ip4(b""), ip6(udp4(length=7))], {"udp_length": 6})


@case
def bad_udp_checksum_is_dropped_where_it_is_verified(scene):
    bad = [ip4(udp4(checksum=1)), ip4(udp4(checksum=0xFFFF)),
           ip6(frames.udp(BODY, SOURCE6, GROUP6, PORT, PORT, checksum=1))]
    mixed(scene, bad, {"udp_checksum": 3}, red={"verify": {"udp_checksum": True}})


@case
def udp_checksum_of_zero_is_accepted_over_ipv4(scene):
    def unsummed(body):
        return frames.datagram(body, SOURCE, GROUP, PORT, udp_fields={"checksum": 0})
    for verify in (False, True):
        packets = [(lossy_pair.START + n * 1_000_000, unsummed(good(n))) for n in range(GOOD)]
        pipeline = document({"A": {"port": "red", "to": f"{GROUP}:{PORT}"}},
                            {"main": {"port": "out", "to": "239.9.0.1:5000",
                                      "source": "10.0.0.9"}},
                            ports={"red": {"verify": {"udp_checksum": verify}}})
        expected = [(0, OUT.frame(good(n), n, checksum=0)) for n in range(GOOD)]
        got = scene.replay(scene.pipeline(pipeline),
                           {"red": scene.capture("red.pcap", packets)}, {},
                           {"out": scene.capture("expect.pcap", expected)})
        equal(got.drops(), {}, "drops")


@case
def udp_checksum_of_zero_is_refused_over_ipv6(scene):
    mixed(scene, [ip6(frames.udp(BODY, SOURCE6, GROUP6, PORT, PORT, checksum=0))] * 3,
          {"udp6_zero_checksum": 3})


@case
def fragments_are_dropped_however_they_overlap(scene):
    whole = udp4() + bytes(64)
    teardrop = [ip4(whole[:48], fragment=0x2000), ip4(whole[24:40], fragment=0x0003),
                ip4(whole[8:], fragment=0x2001), ip4(whole, fragment=0x1FFF)]
    fragment6 = struct.pack(">BBHI", frames.UDP, 0, 0x0001, 99) + udp4()
    mixed(scene, [*teardrop, ip6(fragment6, next_header=44)], {"fragment": 5})


@case
def third_vlan_tag_is_too_deep(scene):
    mixed(scene, [frames.datagram(BODY, SOURCE, GROUP, PORT, vlans=tags)
                  for tags in ((1, 2, 3), (1, 2, 3, 4))], {"vlan_depth": 2})


@case
def vlan_that_no_leg_has_is_no_feed(scene):
    mixed(scene, [frames.datagram(BODY, SOURCE, GROUP, PORT, vlans=tags)
                  for tags in ((43,), (100, 43))], {"no_feed": 2})


@case
def ipv6_extension_headers_are_walked_up_to_a_limit(scene):
    pad = b"\1\4\0\0\0\0"
    chain = [(0, pad)] + [(60, pad)] * 7
    delivered_last(scene, lambda body: frames.datagram(body, SOURCE6, GROUP6, PORT,
                                                       ip={"extensions": chain}))
    delivered_last(scene, lambda body: frames.datagram(
        body, SOURCE6, GROUP6, PORT, ip={"extensions": [(0, pad), (60, bytes(246))]}))
    mixed(scene, [ip6(extensions=[*chain, (60, pad)]), ip6(extensions=[(60, bytes(262))]),
                  ip6(extensions=[(0, bytes(126)), (60, bytes(134))])],
          {"ip6_extension_limit": 3})


@case
def ipv6_extension_header_past_the_end_is_truncated(scene):
    mixed(scene, [ip6(b"\x11\x05" + bytes(6), next_header=0), ip6(b"\x11", next_header=60),
                  ip6(b"", next_header=43)], {"ip6_extension_truncated": 3})


@case
def frame_over_max_frame_is_too_big(scene):
    def jumbo(size):
        return frames.datagram(frames.rtp(bytes(size - 14 - 28 - 12), 7), SOURCE, GROUP, PORT)
    mixed(scene, [jumbo(1519), jumbo(9000)], {"too_big": 2})


@case
def jumbo_frame_goes_through_where_it_is_allowed(scene):
    pipeline = document({"A": {"port": "red", "to": f"{GROUP}:{PORT}"}},
                        {"main": {"port": "out", "to": "239.9.0.1:5000", "source": "10.0.0.9"}},
                        ports={"out": {"mtu": 9000}})
    pipeline["appliance"]["max_frame"] = 9014
    bodies = [frames.rtp(bytes([n]) * (8972 - 12), n, n) for n in range(50)]
    packets = [(lossy_pair.START + n * 1_000_000, frames.datagram(body, SOURCE, GROUP, PORT))
               for n, body in enumerate(bodies)]
    got = scene.replay(scene.pipeline(pipeline), {"red": scene.capture("red.pcap", packets)},
                       {"out": "out.pcap"},
                       {"out": scene.capture("expect.pcap", [(0, OUT.frame(body, n))
                                                             for n, body in enumerate(bodies)])})
    equal(got.drops(), {}, "drops")


@case
def other_group_or_udp_port_is_no_feed(scene):
    mixed(scene, [frames.datagram(BODY, SOURCE, GROUP, 5001),
                  frames.datagram(BODY, SOURCE, "239.1.0.2", PORT),
                  frames.datagram(BODY, SOURCE6, "ff3e::1:2", PORT),
                  frames.datagram(BODY, SOURCE, "10.1.0.2", PORT)], {"no_feed": 4})


@case
def mac_of_another_group_is_dropped_where_it_is_verified(scene):
    stray = frames.ethernet(frames.ipv4(udp4(), SOURCE, GROUP), "239.1.0.2")
    unicast = frames.ethernet(frames.ipv4(udp4(), SOURCE, GROUP), "02:00:00:00:00:77")
    mixed(scene, [stray, unicast], {"mac_mismatch": 2}, red={"verify": {"mac": True}})


@case
def mac_of_another_group_is_accepted_by_default(scene):
    delivered_last(scene, lambda body: frames.ethernet(
        frames.ipv4(frames.udp(body, SOURCE, GROUP, PORT, PORT), SOURCE, GROUP), "239.1.0.2"))


@case
def own_output_that_comes_back_is_told(scene):
    mixed(scene, [OUT.frame(good(n), n) for n in range(5)], {"own_source": 5})


@case
def other_source_than_the_leg_wants_is_filtered(scene):
    mixed(scene, [frames.datagram(BODY, "10.66.6.6", GROUP, PORT),
                  frames.datagram(BODY, "2001:db8::bad", GROUP6, PORT)], {"source_filter": 2})


@case
def ttl_of_zero_is_dropped_and_one_is_not(scene):
    mixed(scene, [ip4(ttl=0), ip6(hop_limit=0)], {"ttl": 2})
    delivered_last(scene, lambda body: frames.datagram(body, SOURCE, GROUP, PORT, ip={"ttl": 1}))


@case
def other_protocols_are_not_udp(scene):
    mixed(scene, [ip4(bytes(20), protocol=6), ip4(bytes(20), protocol=frames.ESP),
                  ip6(bytes(20), next_header=6), ip6(b"", next_header=59)], {"not_udp": 4})
