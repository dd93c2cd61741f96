# SPDX-License-Identifier: Apache-2.0
"""Opens and seals SRTP by the RFCs alone: 3711, 6188, 7714. Knows nothing of castgate."""
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


def header_length(packet):
    header = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        header += 4 + 4 * struct.unpack_from(">H", packet, header + 2)[0]
    return header


class Session:
    """The keys of one master key, and what is made of them for an index."""

    def __init__(self, key, salt, profile, tag=10):
        self.profile, self.tag = profile, 16 if profile == "srtp_gcm" else tag
        self.key = derive(key, salt, 0, len(key))
        self.auth = derive(key, salt, 1, 20)
        self.salt = derive(key, salt, 2, 12 if profile == "srtp_gcm" else 14)

    def nonce(self, ssrc, index):
        plain = b"\0\0" + ssrc + index.to_bytes(6, "big")
        return bytes(a ^ b for a, b in zip(plain, self.salt))

    def counter(self, ssrc, index):
        made = int.from_bytes(self.salt + b"\0\0", "big") ^ int.from_bytes(ssrc, "big") << 64 ^ \
            index << 16
        return made.to_bytes(16, "big")

    def tag_of(self, body, index):
        turns = struct.pack(">I", index >> 16)
        return hmac.new(self.auth, body + turns, hashlib.sha1).digest()[:self.tag]


class Sender(Session):
    """Seals what it is given under the index that it is told."""

    def seal(self, packet, index):
        header, ssrc = header_length(packet), packet[8:12]
        if self.profile == "srtp_gcm":
            sealed = AESGCM(self.key).encrypt(self.nonce(ssrc, index), packet[header:],
                                              packet[:header])
            return packet[:header] + sealed
        body = packet[:header] + key_stream(self.key, self.counter(ssrc, index), packet[header:])
        return body + self.tag_of(body, index)


class Receiver(Session):
    """One SSRC's receiver; packets come in order, or nearly so."""

    def __init__(self, key, salt, profile, tag=10):
        super().__init__(key, salt, profile, tag)
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
        index, ssrc = self.index(sequence) << 16 | sequence, packet[8:12]
        header = header_length(packet)
        if self.profile == "srtp_gcm":
            try:
                clear = AESGCM(self.key).decrypt(self.nonce(ssrc, index), packet[header:],
                                                 packet[:header])
            except InvalidTag as why:
                raise Forged(sequence) from why
            return packet[:header] + clear
        body, tag = packet[:-self.tag], packet[-self.tag:]
        if self.tag_of(body, index) != tag:
            raise Forged(sequence)
        return packet[:header] + key_stream(self.key, self.counter(ssrc, index), body[header:])


class Keyring:
    """A receiver of packets with an MKI of `length` bytes: one index, a key for each MKI."""

    def __init__(self, keys, profile, length, tag=10):
        self.length, self.keys = length, {}
        first = None
        for epoch, key in keys.items():
            salt = 12 if profile == "srtp_gcm" else 14
            own = Receiver(key[:-salt], key[-salt:], profile, tag)
            first = first or own
            own.index = first.index
            self.keys[epoch] = own
        self.behind = 0 if profile == "srtp_gcm" else tag
        self.epochs = []

    def open(self, packet):
        end = len(packet) - self.behind
        epoch = int.from_bytes(packet[end - self.length:end], "big")
        self.epochs.append(epoch)
        if epoch not in self.keys:
            raise Forged(f"no key of epoch {epoch}")
        return self.keys[epoch].open(packet[:end - self.length] + packet[end:])
