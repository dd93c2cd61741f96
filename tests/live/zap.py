# SPDX-License-Identifier: Apache-2.0
"""A receiver that changes streams: joins, waits for the first packet, leaves, again and again.
Prints the median and the 99th percentile from asking to that packet: zap.py BASE STREAM TIMES"""
import json
import socket
import sys
import time
import urllib.request


def ask(method, url, body=None):
    request = urllib.request.Request(url, data=body, method=method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read() or b"null")


def main(base, stream, times):
    spans = []
    for _ in range(times):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("0.0.0.0", 0))
            receiver.settimeout(5)
            port = receiver.getsockname()[1]
            begun = time.monotonic()
            client = ask("POST", f"{base}/v1/streams/{stream}/clients",
                         json.dumps({"udp_port": port}).encode())
            receiver.recv(2048)
            spans.append(1000 * (time.monotonic() - begun))
            ask("DELETE", f"{base}/v1/streams/{stream}/clients/{client['id']}")
    spans.sort()
    print(f"join to first packet: {spans[len(spans) // 2]:.1f} ms median, "
          f"{spans[len(spans) * 99 // 100]:.1f} ms p99 of {times}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
