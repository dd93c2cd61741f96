# SPDX-License-Identifier: Apache-2.0
"""Opens and seals ESP with AES-GCM by the RFCs alone: 4303, 4106. Knows nothing of castgate."""
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Forged(Exception):
    """The ICV is not the packet's, or what it covers is no ESP."""


class Opener:
    """One association; packets come in order of their numbers, or nearly so."""

    def __init__(self, key, spi, *, esn=True):
        self.aead, self.salt, self.spi, self.esn = AESGCM(key[:-4]), key[-4:], spi, esn
        self.newest = 0
        self.nonces = set()

    def number(self, low):
        best = min((abs((high << 32 | low) - self.newest), high << 32 | low)
                   for high in range(max(0, (self.newest >> 32) - 1), (self.newest >> 32) + 2))
        self.newest = max(self.newest, best[1])
        return best[1]

    def open(self, packet):
        """(next header, what is inside) of an ESP packet from the SPI on."""
        spi, low = struct.unpack_from(">II", packet)
        if spi != self.spi or len(packet) % 4:
            raise Forged(f"SPI {spi:#x}, {len(packet)} octets")
        bound = packet[:8]
        if self.esn:
            bound = struct.pack(">IQ", spi, self.number(low))
        if packet[8:16] in self.nonces:
            raise Forged("an IV was used twice")
        self.nonces.add(packet[8:16])
        try:
            clear = self.aead.decrypt(self.salt + packet[8:16], packet[16:], bound)
        except InvalidTag as why:
            raise Forged(low) from why
        length, header = clear[-2], clear[-1]
        if clear[len(clear) - 2 - length:-2] != bytes(range(1, length + 1)):
            raise Forged("padding")
        return header, clear[:len(clear) - 2 - length]


class Sealer:
    """The other end: one packet from the SPI on for each number, which is its IV as well."""

    def __init__(self, key, spi, *, esn=True):
        self.aead, self.salt, self.spi, self.esn = AESGCM(key[:-4]), key[-4:], spi, esn

    def seal(self, number, next_header, inner, *, padding=None):
        if padding is None:
            padding = bytes(range(1, 1 + -(len(inner) + 2) % 4))
        clear = inner + padding + bytes([len(padding), next_header])
        head = struct.pack(">II", self.spi, number & 0xffffffff)
        bound = struct.pack(">IQ", self.spi, number) if self.esn else head
        iv = struct.pack(">Q", number)
        return head + iv + self.aead.encrypt(self.salt + iv, clear, bound)
