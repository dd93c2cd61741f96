#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A check of the bench's unit: testpmd in MAC mode between two net_null ports of 1400 bytes.
Cycles of the time stamp counter a packet, by the thread's own CPU time; prints its command:
testpmd_mac.py HUGEPAGES_MIB TSC_MHZ"""
import os
import re
import shutil
import subprocess
import sys
import time

SECONDS = 2.0


def forwarding_thread(pid):
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as name:
            if re.search("worker", name.read()):
                return thread
    return None


def cpu_seconds(pid, thread):
    with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="utf-8") as stat:
        return int(stat.read().split()[0]) / 1e9


def main(hugepages, tsc_mhz):
    if shutil.which("dpdk-testpmd") is None:
        print("testpmd: not installed (Debian package dpdk); the unit is unchecked")
        return 0
    memory = ["--in-memory", "-m", str(hugepages)] if hugepages else ["--no-huge", "-m", "512"]
    command = ["dpdk-testpmd", "-l", "0,1", "--no-pci", "--no-telemetry", "--log-level=4", *memory,
               f"--file-prefix=castgate-unit-{os.getpid()}", "--vdev=net_null0,size=1400,copy=0",
               "--vdev=net_null1,size=1400,copy=0", "--", "--forward-mode=mac",
               "--total-num-mbufs=16384", "--auto-start", "--stats-period=1"]
    print("testpmd:", " ".join(command))
    with subprocess.Popen(["stdbuf", "-oL", *command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        samples = []
        received = {}
        end = time.monotonic() + 10
        thread = None
        for line in process.stdout:
            if port := re.search(r"statistics for port (\d)", line):
                number = port.group(1)
            if packets := re.search(r"RX-packets:\s*(\d+)", line):
                received[number] = int(packets.group(1))
                thread = thread or forwarding_thread(process.pid)
                if len(received) == 2 and number == "1" and thread:
                    samples.append((sum(received.values()), cpu_seconds(process.pid, thread)))
            if len(samples) > SECONDS + 1 or time.monotonic() > end:
                break
        process.terminate()
    if len(samples) < 2:
        print("testpmd: no figure: it did not start")
        return 1
    (first, cpu_first), (last, cpu_last) = samples[0], samples[-1]
    cycles = (cpu_last - cpu_first) * tsc_mhz * 1e6 / (last - first)
    print(f"testpmd mac: {cycles:.1f} cycles a packet")
    return 0


sys.exit(main(int(sys.argv[1]), float(sys.argv[2])))
