# SPDX-License-Identifier: Apache-2.0
"""Sends what comes to a group on as ESP, IP protocol 50, in a tunnel: by the RFCs, with nothing of
castgate. Arguments: group and port, address of the interface it comes to; key and salt in
hexadecimal, SPI, first number; source and group outside; source, group and port inside."""
import ipaddress
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from esp_judge import Sealer

from rtp_send import checksum

IP_IN_IP, ESP = 4, 50


def inner_packet(payload, source, group, port):
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(group).packed
    size = 8 + len(payload)
    udp = struct.pack("!HHH", port, port, size)
    summed = checksum(ends + struct.pack("!HH", 17, size) + udp + b"\0\0" + payload) or 0xffff
    head = struct.pack("!BBHIBB", 0x45, 0, 20 + size, 0x4000, 64, 17)
    head += struct.pack("!H", checksum(head + b"\0\0" + ends)) + ends
    return head + udp + struct.pack("!H", summed) + payload


def main():
    group, port, interface, key, spi, number, source, to, *inside = sys.argv[1:]
    received = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    received.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_000_000)
    received.bind((group, int(port)))
    received.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        socket.inet_aton(group) + socket.inet_aton(interface))
    sent = socket.socket(socket.AF_INET, socket.SOCK_RAW, ESP)
    sent.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
    sent.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
    sealer, number = Sealer(bytes.fromhex(key), int(spi, 0)), int(number, 0)
    print("ready", flush=True)
    while True:
        packet = inner_packet(received.recv(2000), inside[0], inside[1], int(inside[2]))
        sent.sendto(sealer.seal(number, IP_IN_IP, packet), (to, 0))
        number += 1


main()
