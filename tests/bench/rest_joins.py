#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Joins a second by REST, as a ratio to empty answers of the same server: castgate on net_null
ports, asked by wrk over loopback without TLS, in turns. Prints a row and its figures; exits 1 where
the floor is missed: rest_joins.py CASTGATE [ROUNDS]"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

FLOOR, GOAL = 0.4, 0.7
SECONDS = 1
CONNECTIONS = 32
PORT = 18080

PIPELINE = """schema: 1
appliance: {{worker_cores: [1], control_core: 0, state_dir: {work}/state, max_clients: 1000000,
  control_socket: {work}/control.sock}}
doors: {{rest: {{listen: "127.0.0.1:{port}"}}}}
ports:
  red: {{device: net_null0, addresses: [192.0.2.1/24]}}
  out: {{device: net_null1, addresses: [10.0.0.1/8], mac: "02:00:00:00:00:01"}}
streams:
  news:
    legs: {{A: {{port: red, to: 239.1.0.1:5000}}}}
    outputs:
      a: {{port: out, unicast: {{max_clients: 65536}}}}
      b: {{port: out, unicast: {{max_clients: 65536}}}}
      c: {{port: out, unicast: {{max_clients: 65536}}}}
      d: {{port: out, unicast: {{max_clients: 65536}}}}
"""

# Each request is another client; 60000 an output.
JOINS = """
local next = tonumber(os.getenv("FIRST"))
local head = {["Content-Type"] = "application/json"}
function request()
  local client = next
  next = next + 1
  local output = string.sub("abcd", 1 + math.floor(client / 60000), 1 + math.floor(client / 60000))
  local host = client % 60000 + 1
  local address = string.format("10.1.%d.%d", math.floor(host / 250), 1 + host % 250)
  return wrk.format("POST", "/v1/streams/news." .. output .. "/clients", head,
    string.format('{"udp_port": 6000, "address": "%s"}', address))
end
"""


def wrk(path, first=None, script=None):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s"]
    command += ["-s", script] if script else []
    out = subprocess.run(command + [f"http://127.0.0.1:{PORT}{path}"], text=True, check=True,
                         env=dict(os.environ, FIRST=str(first)), capture_output=True).stdout
    assert "Non-2xx" not in out, out
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", out)[1]), \
        int(re.search(r"(\d+) requests in", out)[1])


def main(castgate, rounds):
    if shutil.which("wrk") is None:
        print("REST joins: wrk is not installed (Debian package wrk): no figure")
        return 1
    with tempfile.TemporaryDirectory() as work:
        pipeline, script = f"{work}/bench.yaml", f"{work}/joins.lua"
        with open(pipeline, "w", encoding="utf-8") as file:
            file.write(PIPELINE.format(work=work, port=PORT))
        with open(script, "w", encoding="utf-8") as file:
            file.write(JOINS)
        with open(f"{work}/log", "w", encoding="utf-8") as log, \
                subprocess.Popen([castgate, "run", pipeline], stdout=log, stderr=log) as server:
            try:
                time.sleep(3)
                assert server.poll() is None, open(f"{work}/log", encoding="utf-8").read()
                return measure(rounds, script)
            finally:
                server.terminate()
                server.wait()


def measure(rounds, script):
    ratios, joins, empties, first = [], [], [], 0
    wrk("/v1/health")
    for _ in range(rounds):
        before, _count = wrk("/v1/health")
        rate, count = wrk("/", first, script)
        after, _count = wrk("/v1/health")
        first += count + CONNECTIONS  # what was under way at the end has joined as well
        if first > 230_000:
            break
        joins.append(rate)
        empties.append((before + after) / 2)
        ratios.append(2 * rate / (before + after))
    ratio = statistics.median(ratios)
    verdict = "FLOOR MISSED" if ratio < FLOOR else "floor" if ratio < GOAL else "goal"
    print(f"{'REST joins a second / empty answers':<64} {ratio:10.2f} {FLOOR:9.2f} {GOAL:9.2f}"
          f"  {verdict}")
    print(f"  {statistics.median(joins):.0f} joins and {statistics.median(empties):.0f} empty "
          f"answers a second, {len(ratios)} rounds; at the end {first} clients")
    return int(ratio < FLOOR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7))
