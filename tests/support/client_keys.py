# SPDX-License-Identifier: Apache-2.0
"""The keys of isolated clients, as DECISIONS 42 says they are made. Knows nothing of castgate."""
import collections
import ipaddress
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ClientKey = collections.namedtuple("ClientKey", "key salt ssrc spi")


def of_replay(row):
    """The session of the client that is `row` in the list, from 1 on."""
    return row.to_bytes(16, "big")


def client_key(file_key, stream, address, udp_port, session, *, key_bytes, salt_bytes):
    address = ipaddress.ip_address(address)
    if address.version == 4:
        address = ipaddress.ip_address(f"::ffff:{address}")
    info = stream.encode() + address.packed + struct.pack(">H", udp_port) + session
    made = HKDF(hashes.SHA256(), key_bytes + salt_bytes + 8, b"castgate client key 1",
                info).derive(file_key)
    ssrc, spi = struct.unpack_from(">II", made, key_bytes + salt_bytes)
    return ClientKey(made[:key_bytes], made[key_bytes:key_bytes + salt_bytes], ssrc,
                     spi | 0x80000000)
