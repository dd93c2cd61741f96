# SPDX-License-Identifier: Apache-2.0
"""A stock UDP receiver of an RTP stream, by a socket: what did not come, and for how long.

udp_gaps.py ADDRESS PORT [FILE]
Until SIGTERM; then prints as JSON: packets, the first one's sequence number, and of each gap what
was lost, how long it lasted and when it ended, in seconds on the system's clock. What stands behind
the RTP headers goes into the file, in the order in which it came.
"""
import json
import signal
import socket
import struct
import sys
import time

SO_RCVBUFFORCE = 33  # asm-generic/socket.h
HEADER = 12  # bytes of RTP


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    payloads = open(sys.argv[3], "wb") if len(sys.argv) > 3 else None
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    receiver.bind((address, port))
    receiver.settimeout(0.2)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    packets, gaps, first, last, heard = 0, [], None, None, None
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
        if payloads:
            payloads.write(data[HEADER:])
        first = number if first is None else first
        packets, last, heard = packets + 1, number, at
    if payloads:
        payloads.close()
    print(json.dumps({"packets": packets, "first": first, "gaps": gaps}))


if __name__ == "__main__":
    main()
