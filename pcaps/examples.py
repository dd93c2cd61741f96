#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the captures that pipelines/iptv.yaml, st2110.yaml, raw_ts.yaml, unicast.yaml and
sealed.yaml are tried with: what two lossy paths delivered of one stream, as NAME-red.pcap and
NAME-blue.pcap; who joins when, as unicast-clients.csv and sealed-clients.csv; and a key for
sealed.yaml, news1.key."""
import argparse
import os
import pathlib
import random
import struct

import capture_file
import frames
import lossy_pair

QUIET = 100  # packets at each end of a stream that both paths deliver


def two_paths(datagrams, interval_ns, legs, seed, spoil=None, after_ns=0):
    """([red, blue], numbers of the datagrams that either delivered). `legs`: (source, group, UDP
    port, skew in ns, share lost); `spoil(leg, number, datagram)` is what the path makes of one."""
    sides, came = [], set()
    for leg, (source, group, port, skew, loss) in enumerate(legs):
        rng, packets = random.Random(f"{seed} {leg} {after_ns}"), []
        for number, datagram in enumerate(datagrams):
            lost = rng.random() < loss and QUIET <= number < len(datagrams) - QUIET
            if lost:
                continue
            came.add(number)
            sent = lossy_pair.START + after_ns + number * interval_ns + skew
            made = spoil(leg, number, datagram) if spoil else datagram
            packets.append((sent, frames.datagram(made, source, group, port)))
        sides.append(packets)
    return sides, came


def iptv(packets=4000, seed=7):
    """MPEG-TS in RTP, preferred from red, where one datagram in fifty has a transport error. In the
    middle the encoder starts anew: other SSRC, other numbers."""
    legs = [("10.1.0.5", "239.1.0.1", 5000, 0, 0.01),
            ("10.2.0.5", "239.2.0.1", 5002, 4_000_000, 0.01)]
    rng = random.Random(seed)
    faulty = {n for n in range(QUIET, packets // 2 - QUIET) if rng.random() < 0.02}

    def spoil(leg, number, datagram):
        if leg or number not in faulty:
            return datagram
        return datagram[:13] + bytes([datagram[13] | 0x80]) + datagram[14:]

    sides, left = [[], []], []
    for life, (first, ssrc) in enumerate(((65_000, 0x01020304), (7, 0x0A0B0C0D))):
        stream = lossy_pair.Stream(packets // 2, first, seed=seed + life, ssrc=ssrc)
        halves, came = two_paths(stream.payloads, stream.interval_ns, legs, seed, spoil,
                                 life * (packets // 2 * stream.interval_ns + 200_000_000))
        for side, half in zip(sides, halves):
            side += half
        left += [stream.payloads[number][12:] for number in sorted(came)]
    return sides, left, faulty


def st2110(packets=6000, seed=7):
    """Video by ST 2110-20: the same group on both networks, the high half of the number behind the
    RTP header, which wraps the low half within."""
    legs = [("10.1.0.5", "239.20.0.1", 20000, 0, 0.005),
            ("10.2.0.5", "239.20.0.1", 20000, 800_000, 0.005)]
    rng, first = random.Random(seed), (3 << 16) - packets // 2
    datagrams = [frames.rtp(struct.pack(">HHHH", number >> 16, 1200, number % 1080, 0)
                            + rng.randbytes(1200), number & 0xFFFF, number // 500 * 1501,
                            0x20110020, payload_type=96)
                 for number in range(first, first + packets)]
    sides, came = two_paths(datagrams, 10_000, legs, seed)
    return sides, [datagrams[number] for number in sorted(came)]


def raw_ts(packets=3000, seed=7):
    """MPEG-TS in UDP without RTP: nothing is numbered. One datagram in twenty is null packets."""
    legs = [("10.1.0.5", "239.3.0.1", 1234, 0, 0.01),
            ("10.2.0.5", "239.3.1.1", 1234, 3_000_000, 0.01)]
    rng, null = random.Random(seed), b"\x47\x1f\xff\x10" + b"\xff" * 184
    datagrams = [null * 7 if number % 20 == 9 else frames.ts_packets(rng, number)
                 for number in range(packets)]
    sides, came = two_paths(datagrams, 500_000, legs, seed)
    return sides, [datagrams[number] for number in sorted(came)]


CLIENTS = """\
stream,transport,address,udp_port,join_at,leave_at
news1,udp,10.9.0.7,6000,,
news1,udp,10.9.0.8,6000,100ms,800ms
news1.homes,udp,192.0.2.10,5004,200ms,
news1,udp,2001:db8:9::7,6000,300ms,
"""


def unicast(packets=2000, seed=7):
    """RTP with noise, a packet each millisecond."""
    legs = [("10.1.0.5", "239.1.0.1", 5000, 0, 0.01),
            ("10.2.0.5", "239.2.0.1", 5002, 3_000_000, 0.01)]
    rng = random.Random(seed)
    datagrams = [frames.rtp(rng.randbytes(1316), number, 90 * number, 0x0E0F1011)
                 for number in range(packets)]
    sides, came = two_paths(datagrams, 1_000_000, legs, seed)
    return sides, [datagrams[number] for number in sorted(came)]


def sealed(packets=3000, seed=7):
    """MPEG-TS in RTP; and a key, which is no secret."""
    legs = [("10.1.0.5", "239.1.0.1", 5000, 0, 0.01),
            ("10.2.0.5", "239.2.0.1", 5002, 4_000_000, 0.01)]
    stream = lossy_pair.Stream(packets, 64_000, seed=seed)
    sides, came = two_paths(stream.payloads, stream.interval_ns, legs, seed)
    return sides, [stream.payloads[number][12:] for number in sorted(came)], bytes(range(28))


def write_key(path, key):
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key.hex() + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="directory to write into")
    parser.add_argument("--seed", type=int, default=7)
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    (wanted.out / "unicast-clients.csv").write_text(CLIENTS)
    (wanted.out / "sealed-clients.csv").write_text("\n".join(CLIENTS.split("\n")[:3]) + "\n")
    write_key(wanted.out / "news1.key", sealed(seed=wanted.seed)[2])
    for make in (iptv, st2110, raw_ts, unicast, sealed):
        sides, left, *_ = make(seed=wanted.seed)
        for name, packets in zip(("red", "blue"), sides):
            capture_file.write_pcap(wanted.out / f"{make.__name__}-{name}.pcap", packets)
        print(f"{make.__name__}: red has {len(sides[0])} packets, blue {len(sides[1])}; "
              f"{len(left)} must leave")


if __name__ == "__main__":
    main()
