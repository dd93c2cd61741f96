#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the demonstration captures of pipelines/market_data.yaml: a.pcap and b.pcap, one MoldUDP64
feed as two lossy lines delivered it, each of which packs its messages in its own way."""
import argparse
import pathlib

import capture_file
import lossy_pair
import market_pair

# As in pipelines/market_data.yaml.
LINE_A = lossy_pair.Leg("10.10.1.5", "233.54.12.1", 26400)
LINE_B = lossy_pair.Leg("10.10.2.5", "233.54.12.129", 26400, "02:00:00:00:02:05")
PACKINGS = (market_pair.Packing(3, loss=0.02), market_pair.Packing(8, loss=0.02, skew_ns=300_000))


def demonstration(messages, seed):
    """(feed, a, b, numbers of the messages that either line delivered)."""
    feed = market_pair.Feed(messages, seed=seed)
    sides = [market_pair.leg_packets(feed, leg, packing, name)
             for leg, packing, name in zip((LINE_A, LINE_B), PACKINGS, "ab")]
    return feed, sides[0][0], sides[1][0], sides[0][1] | sides[1][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="directory to write into")
    parser.add_argument("--messages", type=int, default=8000, help="sent by the exchange")
    parser.add_argument("--seed", type=int, default=7)
    wanted = parser.parse_args()
    if not 200 <= wanted.messages <= 1_000_000:
        parser.error("--messages: 200 to 1000000")
    feed, *lines, came = demonstration(wanted.messages, wanted.seed)
    wanted.out.mkdir(parents=True, exist_ok=True)
    for name, packets in zip("ab", lines):
        capture_file.write_pcap(wanted.out / f"{name}.pcap", packets)
    print(f"{feed.messages} messages sent; A has {len(lines[0])} packets, B {len(lines[1])}; "
          f"{feed.messages - len(came)} messages lost on both, {len(came)} must leave")


if __name__ == "__main__":
    main()
