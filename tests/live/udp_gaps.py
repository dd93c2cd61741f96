# SPDX-License-Identifier: Apache-2.0
"""A stock UDP receiver of an RTP stream, by a socket: what did not come, and for how long.

udp_gaps.py ADDRESS PORT
Until SIGTERM; then prints as JSON: packets, and of each gap what was lost, how long it lasted and
when it ended, in seconds on the system's clock.
"""
import json
import signal
import socket
import struct
import sys
import time

SO_RCVBUFFORCE = 33  # asm-generic/socket.h


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    receiver.bind((address, port))
    receiver.settimeout(0.2)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    packets, gaps, last, heard = 0, [], None, None
    while not ended:
        try:
            data = receiver.recv(2048)
        except socket.timeout:
            continue
        at = time.time()
        number = struct.unpack_from("!H", data, 2)[0]
        missing = 0 if last is None else (number - last - 1) & 0xffff
        if missing:
            gaps.append({"lost": missing, "seconds": at - heard, "ended": at})
        packets, last, heard = packets + 1, number, at
    print(json.dumps({"packets": packets, "gaps": gaps}))


if __name__ == "__main__":
    main()
