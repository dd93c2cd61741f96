# SPDX-License-Identifier: Apache-2.0
"""Sends one RTP stream as raw Ethernet frames, teed onto one leg or more.

rtp_send.py --count N --rate PPS --leg interface=a0,source=10.1.0.5,to=239.1.0.1:5000 [--leg ...]
A leg may add delay_ms=4, vlan=43 or vlan=100.43 (QinQ), ttl=8, mac=02:...; IPv6 is [ff3e::1]:5000.
With --file the payloads are its bytes, 1316 a packet, as MPEG-TS; --count is the most of them.
Headers and checksums are made here, with nothing of castgate.
"""
import argparse
import hashlib
import heapq
import ipaddress
import socket
import struct
import time

CLOCK = 48000  # RTP ticks a second: L16 audio, mono
PAYLOAD_TYPE = 96
TS_BYTES = 7 * 188


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def group_mac(group):
    if group.version == 4:
        return b"\x01\x00\x5e" + bytes([group.packed[1] & 0x7f]) + group.packed[2:]
    return b"\x33\x33" + group.packed[12:]


class Leg:
    def __init__(self, text):
        options = dict(part.split("=", 1) for part in text.split(","))
        host, port = options["to"].rsplit(":", 1)
        self.to, self.port = ipaddress.ip_address(host.strip("[]")), int(port)
        self.source = ipaddress.ip_address(options["source"])
        self.delay = float(options.get("delay_ms", 0)) / 1000
        self.ttl = int(options.get("ttl", 8))
        mac = bytes.fromhex(options.get("mac", "02:00:00:00:01:05").replace(":", ""))
        tags = [int(tag) for tag in options["vlan"].split(".")] if "vlan" in options else []
        kinds = [0x88a8, 0x8100][2 - len(tags):]
        ethertype = 0x0800 if self.to.version == 4 else 0x86dd
        self.ethernet = group_mac(self.to) + mac + b"".join(
            struct.pack("!HH", kind, tag) for kind, tag in zip(kinds, tags)
        ) + struct.pack("!H", ethertype)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((options["interface"], 0))

    def ip_header(self, length, position):
        if self.to.version == 6:
            return struct.pack("!IHBB", 6 << 28, length, 17, self.ttl) + \
                self.source.packed + self.to.packed
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, position & 0xffff, 0, self.ttl,
                             17, 0) + self.source.packed + self.to.packed
        return header[:10] + struct.pack("!H", checksum(header)) + header[12:]

    def send(self, position, rtp):
        length = 8 + len(rtp)
        pseudo = self.source.packed + self.to.packed + struct.pack("!HH", 17, length)
        udp = struct.pack("!HHHH", 40000, self.port, length, 0)
        check = checksum(pseudo + udp + rtp) or 0xffff
        self.socket.send(self.ethernet + self.ip_header(length, position) + udp[:6]
                         + struct.pack("!H", check) + rtp)


class Made:
    """Payloads that can be told from each other, of any number."""
    payload_type, clock = PAYLOAD_TYPE, CLOCK

    def __init__(self, size):
        self.size = size

    def payload(self, position):
        seed = hashlib.sha256(position.to_bytes(8, "big")).digest()
        return (seed * (self.size // len(seed) + 1))[:self.size]


class OfFile:
    payload_type, clock = 33, 90000  # MPEG-TS

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()

    def __len__(self):
        return -(-len(self.bytes) // TS_BYTES)

    def payload(self, position):
        return self.bytes[position * TS_BYTES:(position + 1) * TS_BYTES]


def rtp_packet(position, rate, source, first):
    return struct.pack("!BBHII", 0x80, source.payload_type, (first + position) & 0xffff,
                       position * source.clock // rate & 0xffffffff,
                       0x0c057ca5) + source.payload(position)


def schedule(count, rate, legs):
    """(seconds from the start, leg, position) in order of time."""
    def of_leg(number, delay):
        return ((position / rate + delay, number, position) for position in range(count))

    return heapq.merge(*(of_leg(number, leg.delay) for number, leg in enumerate(legs)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--size", type=int, default=96, help="payload bytes")
    parser.add_argument("--file", type=OfFile, dest="source", help="MPEG-TS to send")
    parser.add_argument("--first", type=int, default=60000, help="first sequence number")
    parser.add_argument("--leg", action="append", required=True, type=Leg, dest="legs")
    wanted = parser.parse_args()
    source = wanted.source or Made(wanted.size)
    count = min(wanted.count, len(source)) if wanted.source else wanted.count
    start = time.monotonic() + 0.05
    packet, last = b"", -1
    for at, number, position in schedule(count, wanted.rate, wanted.legs):
        if position != last:
            packet, last = rtp_packet(position, wanted.rate, source, wanted.first), position
        if (ahead := start + at - time.monotonic()) > 0:
            time.sleep(ahead)
        wanted.legs[number].send(position, packet)


if __name__ == "__main__":
    main()
