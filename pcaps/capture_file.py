# SPDX-License-Identifier: Apache-2.0
"""Captures as files, written and read from the formats' descriptions. A packet is (ns, bytes)."""
import gzip
import struct

MICRO, NANO = 0xA1B2C3D4, 0xA1B23C4D


def _open(path, mode):
    if str(path).endswith(".gz"):
        # mtime=0: the same packets give the same file.
        return gzip.GzipFile(path, mode, mtime=0) if "w" in mode else gzip.open(path, mode)
    return open(path, mode)


def write_pcap(path, packets, *, nano=True, order="<", link_type=1, snap=262144):
    """Gzip where `path` ends in .gz; `order` is the byte order of the writing machine."""
    unit = 1 if nano else 1000
    with _open(path, "wb") as file:
        file.write(struct.pack(order + "IHHIIII", NANO if nano else MICRO, 2, 4, 0, 0, snap,
                               link_type))
        for time, frame in packets:
            kept = frame[:snap]
            file.write(struct.pack(order + "IIII", time // 10**9, time % 10**9 // unit, len(kept),
                                   len(frame)) + kept)


def _block(kind, body):
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def write_pcapng(path, packets, *, nano=True):
    with _open(path, "wb") as file:
        file.write(_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        resolution = struct.pack("<HHB3x", 9, 1, 9 if nano else 6) + bytes(4)
        file.write(_block(1, struct.pack("<HHI", 1, 0, 262144) + resolution))
        for time, frame in packets:
            ticks = time if nano else time // 1000
            head = struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
            file.write(_block(6, head + frame + bytes(-len(frame) % 4)))


def read_pcap(path):
    """The packets of a pcap; a torn file is an error."""
    with _open(path, "rb") as file:
        data = file.read()
    for order in "<>":
        magic, = struct.unpack_from(order + "I", data)
        if magic in (MICRO, NANO):
            break
    else:
        raise ValueError(f"{path}: not a pcap")
    unit, at, packets = (1 if magic == NANO else 1000), 24, []
    while at < len(data):
        seconds, fraction, kept, _ = struct.unpack_from(order + "IIII", data, at)
        frame = data[at + 16:at + 16 + kept]
        if len(frame) != kept:
            raise ValueError(f"{path}: ends inside a frame")
        packets.append((seconds * 10**9 + fraction * unit, frame))
        at += 16 + kept
    return packets
