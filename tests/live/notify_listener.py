# SPDX-License-Identifier: Apache-2.0
"""Listens as a service manager does: each message with the second in which it came.

notify_listener.py SOCKET
"""
import socket
import sys
import time

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
    listener.bind(sys.argv[1])
    began = time.monotonic()
    while True:
        for message in listener.recv(4096).decode().splitlines():
            print(f"{time.monotonic() - began:.3f} {message}", flush=True)
