#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the demonstration captures of pipelines/hitless.yaml: red.pcap and blue.pcap, what two
lossy paths delivered of one RTP/MPEG-TS stream, and expect.pcap, what must leave."""
import argparse
import dataclasses
import pathlib

import capture_file
import lossy_pair

# As in pipelines/hitless.yaml.
RED = lossy_pair.Leg("10.1.0.5", "239.1.0.1", 5000, loss=0.01, dark=(0.40, 0.50), ttl=8)
BLUE = lossy_pair.Leg("10.2.0.5", "239.2.0.1", 5002, "02:00:00:00:02:05", loss=0.01, reorder=0.01,
                      skew_ns=4_000_000, dark=(0.70, 0.80), ttl=12)
OUT = lossy_pair.Output("239.9.0.1", 5000, "10.0.0.9", "02:00:00:00:00:03", ttl=16, dscp=46)


def demonstration(packets, loss, seed):
    """(red, blue, expected) as lists of packets, and how many positions both paths lost."""
    first = 65536 - packets // 3  # the sequence number wraps inside
    stream = lossy_pair.Stream(packets, first % 65536, seed=seed)
    middle = packets // 4
    cut = frozenset(range(middle, middle + 3))  # a hole in the sender's own network
    legs = [dataclasses.replace(leg, loss=loss) for leg in (RED, BLUE)]
    came = [lossy_pair.arrivals(stream, leg, name, cut=cut)
            for leg, name in zip(legs, ("red", "blue"))]
    expected = lossy_pair.expected_packets(stream, OUT, *came)
    captures = [lossy_pair.leg_packets(stream, leg, arrived) for leg, arrived in zip(legs, came)]
    return *captures, expected, packets - len(expected)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="directory to write into")
    parser.add_argument("--packets", type=int, default=4000, help="sent by the source")
    parser.add_argument("--loss", type=float, default=0.01, help="share lost on each path")
    parser.add_argument("--seed", type=int, default=7)
    wanted = parser.parse_args()
    if not 200 <= wanted.packets <= 60000:
        parser.error("--packets: 200 to 60000")
    if not 0 <= wanted.loss < 1:
        parser.error("--loss: 0 to below 1")
    red, blue, expected, lost = demonstration(wanted.packets, wanted.loss, wanted.seed)
    wanted.out.mkdir(parents=True, exist_ok=True)
    for name, packets in (("red", red), ("blue", blue), ("expect", expected)):
        capture_file.write_pcap(wanted.out / f"{name}.pcap", packets)
    print(f"{wanted.packets} packets sent; red delivered {len(red)}, blue {len(blue)}; "
          f"{lost} lost on both, {len(expected)} must leave")


if __name__ == "__main__":
    main()
