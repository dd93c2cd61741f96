# SPDX-License-Identifier: Apache-2.0
"""Judges a merge by captures alone: what the legs brought, what came out, and when.

rtp_oracle.py --leg CAPTURE,ADDRESS:PORT --leg ... --out CAPTURE,ADDRESS:PORT [--name NAME]
              [--measure | --tshark-lost N]
Prints a row: NAME, on leg A, on leg B ..., lost on all, came out, lost beyond, out of order,
repeated, altered, added latency p50, p99 and max in milliseconds. Exit 1 unless what came out is
exactly the union of the legs, in order, once each, byte for byte. --measure judges nothing.
"""
import argparse
import ipaddress
import pathlib
import struct
import sys

VLAN_TAGS = (0x8100, 0x88a8, 0x9100)
COLUMNS = ["merge", "leg A", "leg B", "both lost", "out", "lost beyond", "disordered", "repeated",
           "altered", "p50 ms", "p99 ms", "max ms"]


def frames(path):
    """(nanoseconds, frame) of a pcap file."""
    data = pathlib.Path(path).read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    scale = 1 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1000
    at = 24
    while at + 16 <= len(data):
        seconds, part, length, _ = struct.unpack_from(order + "IIII", data, at)
        yield seconds * 10**9 + part * scale, data[at + 16:at + 16 + length]
        at += 16 + length


def udp_payload(frame):
    """(destination, port, payload) of a UDP packet in Ethernet; None of anything else."""
    at = 12
    while (kind := struct.unpack_from("!H", frame, at)[0]) in VLAN_TAGS:
        at += 4
    at += 2
    if kind == 0x0800 and frame[at + 9] == 17:
        to, udp = frame[at + 16:at + 20], at + 4 * (frame[at] & 15)
    elif kind == 0x86dd and frame[at + 6] == 17:
        to, udp = frame[at + 24:at + 40], at + 40
    else:
        return None
    port, length = struct.unpack_from("!HH", frame, udp + 2)
    return ipaddress.ip_address(to), port, frame[udp + 8:udp + length]


class Reader:
    """Extends 16-bit sequence numbers around the last position seen, over all captures."""

    def __init__(self):
        self.first = None

    def read(self, text):
        path, to = text.split(",")
        host, port = to.rsplit(":", 1)
        wanted = ipaddress.ip_address(host.strip("[]")), int(port)
        packets, last = [], self.first
        for at, frame in frames(path):
            found = udp_payload(frame)
            if found is None or found[:2] != wanted:
                continue
            number = struct.unpack_from("!H", found[2], 2)[0]
            last = number + 65536 if last is None else \
                last + ((number - last + 32768) & 0xffff) - 32768
            self.first = last if self.first is None else self.first
            packets.append((at, last, found[2]))
        return packets


def earliest(legs):
    """{position: (when its first copy came, the packet)}"""
    best = {}
    for at, position, packet in sorted(p for leg in legs for p in leg):
        best.setdefault(position, (at, packet))
    return best


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6 if ordered else 0.0


def judge(legs, out, within_span):
    """The figures of a row, and whether they are those of a perfect merge."""
    union = earliest(legs)
    positions = [position for _, position, _ in out]
    span = range(min(union, default=0), max(union, default=-1) + 1)
    if within_span and positions:  # a merge that is not asked for its first and last packets
        span = range(min(positions), max(positions) + 1)
    came = set(positions)
    added = sorted(at - union[position][0] for at, position, _ in out if position in union)
    figures = [*map(len, legs), sum(p not in union for p in span), len(out),
               sum(p in union and p not in came for p in span),
               sum(b < a for a, b in zip(positions, positions[1:])), len(positions) - len(came),
               sum(p not in union or union[p][1] != packet for _, p, packet in out)]
    perfect = positions == sorted(union) and figures[-1] == 0 and len(out) > 0
    return figures, [percentile(added, share) for share in (0.5, 0.99, 1)], perfect


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leg", action="append", required=True, dest="legs")
    parser.add_argument("--out", required=True)
    parser.add_argument("--name", default="castgate")
    parser.add_argument("--header", action="store_true", help="print the columns' names before")
    parser.add_argument("--measure", action="store_true", help="do not judge")
    parser.add_argument("--tshark-lost", type=int, help="what tshark counted as lost")
    wanted = parser.parse_args()
    reader = Reader()
    legs = [reader.read(leg) for leg in wanted.legs]
    out = reader.read(wanted.out)
    figures, added, perfect = judge(legs, out, wanted.measure)
    if wanted.header:
        print(f"{COLUMNS[0]:<22}" + "".join(f"{column:>12}" for column in COLUMNS[1:]))
    print(f"{wanted.name:<22}" + "".join(f"{figure:>12}" for figure in figures)
          + "".join(f"{milliseconds:>12.3f}" for milliseconds in added))
    if wanted.measure:
        return 0
    both = figures[len(legs)]
    if wanted.tshark_lost is not None and wanted.tshark_lost != both:
        print(f"tshark counts {wanted.tshark_lost} lost; {both} were lost on every leg")
        return 1
    return 0 if perfect else 1


if __name__ == "__main__":
    sys.exit(main())
