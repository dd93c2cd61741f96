# SPDX-License-Identifier: Apache-2.0
"""One stream over two lossy paths, and what must come out of their merge. Everything is seeded.

The expected output is computed from the list of packets that were sent and the two lists of those
that arrived: there is no merge here, hence nothing to be wrong in the same way."""
import dataclasses
import random

import frames

START = 1_700_000_000 * 10**9  # of every capture, ns since 1970


@dataclasses.dataclass(frozen=True)
class Leg:
    """A path from the source to one port, and what is wrong with it."""
    source: str
    group: str
    port: int
    source_mac: str = "02:00:00:00:01:05"
    vlans: tuple = ()
    loss: float = 0.0            # of each packet by itself
    reorder: float = 0.0         # share of packets that come two places late
    skew_ns: int = 0
    dark: tuple = (0.0, 0.0)     # from, to: shares of the stream in which nothing arrives
    ttl: int = 8
    tos: int = 0


@dataclasses.dataclass(frozen=True)
class Output:
    """An output's headers as the YAML asks for them."""
    group: str
    port: int
    source: str
    source_mac: str
    source_port: int = 0
    ttl: int = 16
    dscp: int | None = None
    vlans: tuple = ()

    def frame(self, payload, count, *, tos=0, checksum=None):
        """The output's packet number `count`, from 0. `tos` is what was received; `checksum=0`
        where none was."""
        traffic = tos & 0xFC if self.dscp is None else self.dscp << 2
        fields = {"hop_limit": self.ttl, "traffic_class": traffic} if ":" in self.group else \
            {"ttl": self.ttl, "tos": traffic, "ident": count % 65536}
        return frames.datagram(payload, self.source, self.group, self.port,
                               source_port=self.source_port or self.port, ip=fields,
                               udp_fields={"checksum": checksum}, vlans=self.vlans,
                               source_mac=self.source_mac)


@dataclasses.dataclass
class Stream:
    packets: int
    first_sequence: int
    interval_ns: int = 500_000   # 2000 packets a second
    seed: int = 7
    ssrc: int = 0x01020304
    payloads: list = dataclasses.field(init=False)

    def __post_init__(self):
        rng = random.Random(f"payload {self.seed}")
        step = 90_000 * self.interval_ns // 10**9
        self.payloads = [frames.rtp(frames.ts_packets(rng, i), self.first_sequence + i,
                                    0xFFFF0000 + i * step, self.ssrc) for i in range(self.packets)]

    def sent(self, index):
        return START + index * self.interval_ns


def arrivals(stream, leg, name, *, quiet=100, cut=frozenset()):
    """{index: arrival in ns} of what gets through. The first and last `quiet` packets always do,
    in order, so that neither a start nor an end rule decides what is expected; `cut` never do."""
    rng = random.Random(f"{name} {stream.seed}")
    begin, end = (int(share * stream.packets) for share in leg.dark)
    came = {}
    for index in range(stream.packets):
        loss, late, jitter = rng.random() < leg.loss, rng.random() < leg.reorder, rng.random()
        calm = index < quiet or index >= stream.packets - quiet
        if not calm and (loss or begin <= index < end or index in cut):
            continue
        places = 0.3 * jitter + (2.3 if late and not calm else 0.0)
        came[index] = stream.sent(index) + leg.skew_ns + int(places * stream.interval_ns)
    return came


def leg_packets(stream, leg, came):
    """The capture of one leg: (ns, frame) in order of arrival."""
    ordered = sorted(came, key=lambda index: (came[index], index))
    return [(came[index],
             frames.datagram(stream.payloads[index], leg.source, leg.group, leg.port,
                             ip={"hop_limit": leg.ttl, "traffic_class": leg.tos} if ":" in leg.group
                             else {"ttl": leg.ttl, "tos": leg.tos, "ident": place & 0xFFFF},
                             vlans=leg.vlans, source_mac=leg.source_mac))
            for place, index in enumerate(ordered)]


def expected_packets(stream, output, *came, tos=0):
    """What must leave: every packet that arrived by any path, once, in order. Its time is that of
    its first copy, or of the packet before where that is later."""
    packets, clock = [], 0
    for index in range(stream.packets):
        times = [leg[index] for leg in came if index in leg]
        if not times:
            continue
        clock = max(clock, min(times))
        packets.append((clock, output.frame(stream.payloads[index], len(packets), tos=tos)))
    return packets
