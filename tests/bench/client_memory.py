#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a client takes of the appliance's memory, all of it: castgate on net_null ports, joined by
REST with a lease each; the growth of what is private to the process (RssAnon), with what is between
the bytes that are asked for: places, leases, ids, next hops, what waits for the disk and its
cache, the workers' headers and counters. Pools of packets are there before the first client. Prints
a row and its figures; exits 1 where the floor is missed: client_memory.py CASTGATE"""
import re
import socket
import subprocess
import sys
import tempfile
import time

FLOOR, GOAL = 512, 256
FIRST, CLIENTS = 500, 40_000
AT_ONCE = 100  # requests on the way
PORT = 18081

PIPELINE = """schema: 1
appliance: {{worker_cores: [1], control_core: 0, state_dir: {work}/state, max_clients: 100000,
  control_socket: {work}/control.sock}}
doors: {{rest: {{listen: "127.0.0.1:{port}"}}}}
ports:
  red: {{device: net_null0, addresses: [192.0.2.1/24]}}
  out: {{device: net_null1, addresses: [10.0.0.1/24], gateway: 10.0.0.2, mac: "02:00:00:00:00:01",
    neighbours: {{10.0.0.2: "02:00:00:00:00:02"}}}}
streams:
  news:
    legs: {{A: {{port: red, to: 239.1.0.1:5000}}}}
    outputs:
      homes: {{port: out, unicast: {{max_clients: 50000}}}}
"""


def request(client):
    body = '{"udp_port": 6000, "address": "10.1.%d.%d"}' % (client // 250, 1 + client % 250)
    return ("POST /v1/streams/news/clients HTTP/1.1\r\nHost: castgate\r\nContent-Type: "
            f"application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")


def join(clients):
    """A worker that is not run for a while refuses some for the moment (503)."""
    left = list(clients)
    with socket.create_connection(("127.0.0.1", PORT)) as door:
        while left:
            some, left = left[:AT_ONCE], left[AT_ONCE:]
            door.sendall("".join(map(request, some)).encode())
            answers, states = b"", []
            while len(states) < len(some) or not answers.endswith(b"}\n"):
                got = door.recv(65536)
                assert got, answers.decode()
                answers += got
                states = re.findall(rb"HTTP/1.1 (\d+) ", answers)
            assert set(states) <= {b"201", b"503"}, answers[-600:].decode()
            left += [client for client, state in zip(some, states) if state == b"503"]


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return int(re.search(r"RssAnon:\s+(\d+) kB", status.read())[1]) * 1024


def measure(castgate):
    with tempfile.TemporaryDirectory() as work:
        pipeline = f"{work}/bench.yaml"
        with open(pipeline, "w", encoding="utf-8") as file:
            file.write(PIPELINE.format(work=work, port=PORT))
        with open(f"{work}/log", "w", encoding="utf-8") as log, \
                subprocess.Popen([castgate, "run", pipeline], stdout=log, stderr=log) as server:
            try:
                time.sleep(3)
                assert server.poll() is None, open(f"{work}/log", encoding="utf-8").read()
                join(range(FIRST))
                time.sleep(0.5)
                before = resident(server.pid)
                join(range(FIRST, FIRST + CLIENTS))
                time.sleep(0.5)  # on disk
                return (resident(server.pid) - before) / CLIENTS
            finally:
                server.terminate()
                server.wait()


def main(castgate):
    value = measure(castgate)
    verdict = "FLOOR MISSED" if value > FLOOR else "floor" if value > GOAL else "goal"
    print(f"{'memory of a client, all of it, bytes':<64} {value:10.0f} {FLOOR:9} {GOAL:9}"
          f"  {verdict}")
    return int(value > FLOOR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
