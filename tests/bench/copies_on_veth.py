#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Copies per core-second, like for like: an RTP stream of 1316 bytes to 100 clients by castgate on
net_af_xdp, by GStreamer's multiudpsink and by a plain sendmmsg loop, in turns, on one core, over
the same veth, whose far end throws away what is for another MAC address. Copies are what came
there; the time is the CPU time of whoever sends and of the core's ksoftirqd, for the kernel carries
a frame over a veth in the sender's time. Castgate gets more than it can serve, so that its polling
is work. Prints two rows and their figures; exits 1 where a floor is missed:
copies_on_veth.py CASTGATE UDP_SENDER [ROUNDS]"""
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

CLIENTS, PAYLOAD, SECONDS, FEED = 100, 1316, 1.5, 40_000
CORE, OTHER = 1, 0
GATE, FAR = f"cg{os.getpid()}gate", f"cg{os.getpid()}far"
ADDRESSES = [f"10.9.1.{n + 1}" for n in range(CLIENTS)]
MAC = "02:00:00:00:09:07"  # nobody's
ROWS = (("gstreamer", "GStreamer multiudpsink", 2.5, 4), ("sendmmsg", "sendmmsg", 1.3, 2))

PIPELINE = """schema: 1
appliance: {{worker_cores: [{core}], control_core: {other}, state_dir: {work}/state,
  control_socket: {work}/control.sock}}
ports:
  red: {{device: "net_af_packet0,iface=in0", addresses: [192.0.2.1/24]}}
  out: {{device: "net_af_xdp0,iface=out0", addresses: [10.9.0.1/16], neighbours: {{{neighbours}}}}}
streams:
  news:
    legs: {{A: {{port: red, to: 239.1.0.1:5000}}}}
    sequence: rtp
    failover: {{max_rate: 100kpps}}
    outputs: {{homes: {{port: out, unicast: {{}}}}}}
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def inside(space, core, *command):
    return ["ip", "netns", "exec", space, "taskset", "-c", str(core), *command]


def lay_wires():
    for space in (GATE, FAR):
        ip("netns", "add", space)
        ip("-n", space, "link", "set", "lo", "up")
    for near, far in (("in0", "source0"), ("out0", "far0")):
        ip("-n", GATE, "link", "add", near, "type", "veth", "peer", "name", far, "netns", FAR)
        ip("-n", GATE, "link", "set", near, "up")
        ip("-n", FAR, "link", "set", far, "up")
    ip("-n", GATE, "address", "add", "192.0.2.1/24", "dev", "in0")
    ip("-n", GATE, "address", "add", "10.9.0.1/16", "dev", "out0")
    ip("-n", FAR, "address", "add", "192.0.2.5/24", "dev", "source0")
    ip("-n", FAR, "route", "add", "239.0.0.0/8", "dev", "source0")
    for address in ADDRESSES:
        ip("-n", GATE, "neighbour", "add", address, "lladdr", MAC, "dev", "out0")


def ksoftirqd():
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/comm", encoding="utf-8") as name:
                if name.read().strip() == f"ksoftirqd/{CORE}":
                    return int(process)
        except OSError:
            continue
    raise SystemExit(f"no ksoftirqd/{CORE}")


def threads_of(process, name=""):
    found = []
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/comm", encoding="utf-8") as comm:
            if name in comm.read():
                found.append((process, thread))
    return found


def cpu_seconds(threads):
    total = 0
    for process, thread in threads:
        with open(f"/proc/{process}/task/{thread}/schedstat", encoding="utf-8") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def arrived():
    shown = subprocess.run(["ip", "-n", FAR, "-s", "-j", "link", "show", "far0"], check=True,
                           capture_output=True, text=True).stdout
    return json.loads(shown)[0]["stats64"]["rx"]["packets"]


def copies_per_second(threads):
    """By whoever is sending now."""
    time.sleep(0.5)
    cpu, copies = cpu_seconds(threads), arrived()
    time.sleep(SECONDS)
    spent, came = cpu_seconds(threads) - cpu, arrived() - copies
    return came / spent


def run(command, kernel):
    """A peer, started for one measurement."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            time.sleep(0.5)
            assert process.poll() is None, " ".join(command[:6])
            return copies_per_second([*threads_of(process.pid), kernel])
        finally:
            process.terminate()


def join(control, client):
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(control)
        door.sendall(json.dumps({"join": {"stream": "news", "client": client}}).encode() + b"\n")
        answer = door.makefile().readline()
        assert '"id"' in answer and "warning" not in answer, answer


class Castgate:
    """Runs all the time and stands still while others are measured."""

    def __init__(self, program, sender, work):
        neighbours = ", ".join(f'{address}: "{MAC}"' for address in ADDRESSES)
        pipeline = f"{work}/bench.yaml"
        with open(pipeline, "w", encoding="utf-8") as file:
            file.write(PIPELINE.format(core=CORE, other=OTHER, work=work, neighbours=neighbours))
        with open(f"{work}/log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", GATE, program, "run", pipeline], stdout=log, stderr=log)
        self.sender = sender
        time.sleep(5)
        with open(f"{work}/log", encoding="utf-8") as log:
            assert self.process.poll() is None, log.read()
        for address in ADDRESSES:
            join(f"{work}/control.sock", f"{address}:6000")
        self.worker = threads_of(self.process.pid, f"worker-core{CORE}")
        self.process.send_signal(signal.SIGSTOP)

    def measure(self, kernel):
        feed = inside(FAR, OTHER, self.sender, str(PAYLOAD), str(FEED), "239.1.0.1:5000")
        self.process.send_signal(signal.SIGCONT)
        with subprocess.Popen(feed) as source:
            try:
                return copies_per_second([*self.worker, kernel])
            finally:
                source.terminate()
                self.process.send_signal(signal.SIGSTOP)

    def end(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait()


def measure(program, sender, rounds):
    softirqs = ksoftirqd()
    kernel = (softirqs, softirqs)
    peers = {
        "gstreamer": inside(GATE, CORE, "gst-launch-1.0", "-q", "fakesrc", "sizetype=fixed",
                            f"sizemax={PAYLOAD}", "filltype=nothing", "!", "multiudpsink",
                            "sync=false", "async=false",
                            "clients=" + ",".join(f"{a}:6000" for a in ADDRESSES)),
        "sendmmsg": inside(GATE, CORE, sender, str(PAYLOAD), "0",
                           *(f"{a}:6000" for a in ADDRESSES)),
    }
    rates = {"gstreamer": [], "castgate": [], "sendmmsg": []}
    with tempfile.TemporaryDirectory() as work:
        castgate = Castgate(program, sender, work)
        try:
            for _ in range(rounds):
                rates["gstreamer"].append(run(peers["gstreamer"], kernel))
                rates["castgate"].append(castgate.measure(kernel))
                rates["sendmmsg"].append(run(peers["sendmmsg"], kernel))
        finally:
            castgate.end()
    return rates


def main(program, sender, rounds):
    if os.geteuid() != 0 or shutil.which("gst-launch-1.0") is None:
        print("copies on a veth: root and GStreamer are wanted: no figure")
        return 1
    try:
        lay_wires()
        rates = measure(os.path.abspath(program), os.path.abspath(sender), rounds)
    finally:
        for space in (GATE, FAR):
            subprocess.run(["ip", "netns", "del", space], check=False)
    missed = False
    for peer, name, floor, goal in ROWS:
        ratio = statistics.median(ours / theirs
                                  for ours, theirs in zip(rates["castgate"], rates[peer]))
        verdict = "FLOOR MISSED" if ratio < floor else "floor" if ratio < goal else "goal"
        missed |= ratio < floor
        print(f"{f'copies per core-second on veth, 100 clients / {name}':<64} {ratio:10.2f} "
              f"{floor:9} {goal:9}  {verdict}")
    told = ", ".join(f"{name} {statistics.median(rate):.0f}" for name, rate in rates.items())
    print(f"  copies per core-second: {told}; {rounds} rounds")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 7))
