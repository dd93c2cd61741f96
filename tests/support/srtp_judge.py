# SPDX-License-Identifier: Apache-2.0
"""Opens SRTP by the RFCs alone: 3711, 6188, 7714. Knows nothing of castgate."""
import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Forged(Exception):
    """The tag is not the packet's."""


def key_stream(key, counter, data):
    cipher = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return cipher.update(data) + cipher.finalize()


def derive(key, salt, label, length):
    """RFC 3711 4.3.1, key derivation rate 0."""
    x = bytearray(salt.ljust(14, b"\0"))
    x[7] ^= label
    return key_stream(key, bytes(x) + b"\0\0", bytes(length))


class Receiver:
    """One SSRC's receiver; packets come in order, or nearly so."""

    def __init__(self, key, salt, profile, tag=10):
        self.profile, self.tag = profile, 16 if profile == "srtp_gcm" else tag
        self.key = derive(key, salt, 0, len(key))
        self.auth = derive(key, salt, 1, 20)
        self.salt = derive(key, salt, 2, 12 if profile == "srtp_gcm" else 14)
        self.roll_over, self.highest = 0, None

    def index(self, sequence):
        if self.highest is None:
            self.highest = sequence
        turns = self.roll_over
        if self.highest < 0x8000 and sequence - self.highest > 0x8000:
            turns -= 1
        elif self.highest >= 0x8000 and self.highest - 0x8000 > sequence:
            turns += 1
        if (turns, sequence) > (self.roll_over, self.highest):
            self.roll_over, self.highest = turns, sequence
        return turns

    def open(self, packet):
        sequence, = struct.unpack_from(">H", packet, 2)
        turns, ssrc = self.index(sequence), packet[8:12]
        header = 12 + 4 * (packet[0] & 15)
        if packet[0] & 0x10:
            header += 4 + 4 * struct.unpack_from(">H", packet, header + 2)[0]
        if self.profile == "srtp_gcm":
            nonce = b"\0\0" + ssrc + struct.pack(">IH", turns, sequence)
            nonce = bytes(a ^ b for a, b in zip(nonce, self.salt))
            try:
                clear = AESGCM(self.key).decrypt(nonce, packet[header:], packet[:header])
            except InvalidTag as why:
                raise Forged(sequence) from why
            return packet[:header] + clear
        body, tag = packet[:-self.tag], packet[-self.tag:]
        own = hmac.new(self.auth, body + struct.pack(">I", turns), hashlib.sha1).digest()
        if own[:self.tag] != tag:
            raise Forged(sequence)
        counter = int.from_bytes(self.salt + b"\0\0", "big") ^ int.from_bytes(ssrc, "big") << 64 ^ \
            (turns << 16 | sequence) << 16
        return packet[:header] + key_stream(self.key, counter.to_bytes(16, "big"), body[header:])
