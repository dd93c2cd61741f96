#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Opens the ESP packets of a capture with scapy's own IPsec: one line of hexadecimal each, the
packet that comes out. Arguments: capture, SPI, key and salt in hexadecimal, high half of the
extended sequence number or "none"."""
import sys

from scapy.all import IP, PcapReader
from scapy.layers.ipsec import ESP, SecurityAssociation


def main():
    capture, spi, key, high = sys.argv[1:]
    extended = {} if high == "none" else {"esn_en": True, "esn": int(high, 0)}
    association = SecurityAssociation(ESP, spi=int(spi, 0), crypt_algo="AES-GCM",
                                      crypt_key=bytes.fromhex(key), **extended)
    for frame in PcapReader(capture):
        print(bytes(association.decrypt(frame[IP])).hex())


main()
