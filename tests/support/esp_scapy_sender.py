#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seals IP packets with scapy's own IPsec: JSON on standard input, one line of hexadecimal for each
packet, the IP packet that is sent. {"spi", "key", "esn", "outer" (source and destination of a
tunnel, or null: transport mode), "packets": [[number, IP packet], ...]}"""
import json
import sys

from scapy.all import IP, IPv6
from scapy.layers.ipsec import ESP, SecurityAssociation


def packet_of(data):
    return (IP if data[0] >> 4 == 4 else IPv6)(data)


def header_of(source, to):
    return IPv6(src=source, dst=to) if ":" in to else IP(src=source, dst=to, ttl=64)


def main():
    told = json.load(sys.stdin)
    more = {"tunnel_header": header_of(*told["outer"])} if told["outer"] else {}
    association = SecurityAssociation(ESP, spi=told["spi"], crypt_algo="AES-GCM",
                                      crypt_key=bytes.fromhex(told["key"]), **more)
    for number, packet in told["packets"]:
        association.seq_num, association.esn = number & 0xffffffff, number >> 32
        sent = association.encrypt(packet_of(bytes.fromhex(packet)), iv=number.to_bytes(8, "big"),
                                   esn_en=told["esn"])
        print(bytes(sent).hex())


main()
