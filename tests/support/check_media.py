# SPDX-License-Identifier: Apache-2.0
"""Judges what castgate-node wrote of fake_relay.py: each packet once, in order, unchanged.

check_media.py FILE [--from P] [--to P]: prints "N packets from P, sha256 ..."; exit 1 where the
file is anything but the source's own bytes. --from and --to: positions that must be in it.
"""
import argparse
import hashlib
import struct
import sys

import fake_relay

SIZE = len(fake_relay.media(0))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--from", type=int, dest="first")
    parser.add_argument("--to", type=int, dest="last")
    wanted = parser.parse_args()
    with open(wanted.file, "rb") as file:
        written = file.read()
    if not written or len(written) % SIZE:
        sys.exit(f"{len(written)} bytes are no whole number of packets")
    count, first = len(written) // SIZE, struct.unpack_from("!Q", written, 4)[0]
    made = hashlib.sha256()
    for i in range(count):
        made.update(fake_relay.media(first + i))
    if made.hexdigest() != hashlib.sha256(written).hexdigest():
        for i in range(count):
            if written[i * SIZE:(i + 1) * SIZE] != fake_relay.media(first + i):
                got = struct.unpack_from("!Q", written, i * SIZE + 4)[0]
                sys.exit(f"packet {i} should be {first + i} and says that it is {got}")
    if wanted.first is not None and first > wanted.first:
        sys.exit(f"begins at {first}, after {wanted.first}")
    if wanted.last is not None and first + count - 1 < wanted.last:
        sys.exit(f"ends at {first + count - 1}, before {wanted.last}")
    print(f"{count} packets from {first}, sha256 {made.hexdigest()}")


if __name__ == "__main__":
    main()
