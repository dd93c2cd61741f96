# SPDX-License-Identifier: Apache-2.0
"""One feed of numbered messages over two lossy paths, each of which packs them into datagrams of
its own. Everything is seeded; what must come out is every message that arrived by any path."""
import dataclasses
import functools
import itertools
import random
import struct

import frames
import lossy_pair

SESSION = b"DEMO000001"
PAUSE_AFTER = 500         # messages, and in the middle of each pause a heartbeat
PAUSE_NS = 40_000_000


@dataclasses.dataclass(frozen=True)
class Feed:
    """`messages` of 12 to 60 bytes, from number `first`; `protocol` is moldudp64 or iex_tp."""
    messages: int
    first: int = 1
    interval_ns: int = 100_000
    seed: int = 5
    protocol: str = "moldudp64"

    def text(self, index):
        rng = random.Random(f"message {self.seed} {index}")
        return struct.pack(">Q", self.first + index) + rng.randbytes(rng.randrange(4, 52))

    def sent(self, index):
        pauses = index // PAUSE_AFTER
        return lossy_pair.START + index * self.interval_ns + pauses * PAUSE_NS

    @functools.cached_property
    def offsets(self):
        """Bytes of all messages before each."""
        lengths = (2 + len(self.text(index)) for index in range(self.messages))
        return list(itertools.accumulate(lengths, initial=0))

    def payload(self, index, count):
        """The datagram that holds `count` messages from message `index` on; 0 is a heartbeat."""
        texts = [self.text(i) for i in range(index, index + count)]
        if self.protocol == "moldudp64":
            return moldudp64(self.first + index, texts)
        return iex_tp(self.first + index, texts, self.offsets[index], self.sent(index))


def moldudp64(number, texts, session=SESSION, count=None):
    head = session + struct.pack(">QH", number, len(texts) if count is None else count)
    return head + b"".join(struct.pack(">H", len(text)) + text for text in texts)


def iex_tp(number, texts, offset, when, session=0x51_00_00_07):
    body = b"".join(struct.pack("<H", len(text)) + text for text in texts)
    return struct.pack("<BBHIIHHqqq", 1, 0, 0x8004, 1, session, len(body), len(texts), offset,
                       number, when) + body


@dataclasses.dataclass(frozen=True)
class Packing:
    """How a path's sender packs messages, and which datagrams the path loses."""
    most: int
    loss: float = 0.0
    skew_ns: int = 0


def leg_packets(feed, leg, packing, name, quiet=60):
    """(capture, numbers of the messages that arrived): datagrams of 1 to `most` messages, and a
    heartbeat in each pause. The first and last `quiet` messages and all heartbeats arrive."""
    rng = random.Random(f"{name} {feed.seed}")
    packets, came, index = [], set(), 0
    while index < feed.messages:
        block_end = (index // PAUSE_AFTER + 1) * PAUSE_AFTER
        count = min(1 + rng.randrange(packing.most), feed.messages - index, block_end - index)
        when = feed.sent(index + count - 1) + packing.skew_ns
        calm = index < quiet or index + count > feed.messages - quiet
        if calm or rng.random() >= packing.loss:
            packets.append((when, datagram(feed.payload(index, count), leg, len(packets))))
            came.update(range(feed.first + index, feed.first + index + count))
        index += count
        if index == block_end and index < feed.messages:
            packets.append((when + PAUSE_NS // 2, datagram(feed.payload(index, 0), leg,
                                                           len(packets))))
    return packets, came


def datagram(payload, leg, place):
    return frames.datagram(payload, leg.source, leg.group, leg.port,
                           ip={"ttl": leg.ttl, "ident": place & 0xFFFF},
                           source_mac=leg.source_mac)
