#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for keys, and for what SRTP derives from them, in files and in all memory of a process that
a core dump would have. A line per place that has one; exit 1 where there is any."""
import argparse
import base64
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from srtp_judge import derive

CHUNK = 1 << 24
HEX = re.compile(r"[0-9a-f]+")


def patterns_of(path):
    """(what it is, bytes to look for) of one key file."""
    text = path.read_text().strip()
    whole = bytes.fromhex(text) if HEX.fullmatch(text) else base64.b64decode(text)
    salt = {20: 4, 28: 12, 30: 14, 46: 14}[len(whole)]
    key = whole[:-salt]
    name = path.name
    yield f"{name}: the key", key
    yield f"{name}: the key in hexadecimal", key.hex().encode()
    yield f"{name}: the key in base64", base64.b64encode(whole)[:20]
    if salt == 4:
        return
    yield f"{name}: the salt", whole[-salt:]
    for label, length, what in ((0, len(key), "session key"), (1, 20, "authentication key"),
                                (2, salt, "session salt")):
        yield f"{name}: the {what}", derive(key, whole[-salt:], label, length)


def dumped(pid):
    """(begin, end, name) of each mapping that may be read and that a dump would have."""
    found, seen = None, []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ \S+ *(.*)", line)
        if head:
            found = (int(head[1], 16), int(head[2], 16), head[4] or "anonymous", head[3])
        elif line.startswith("Rss:"):
            resident = int(line.split()[1])
        elif line.startswith("VmFlags:"):
            if found[3].startswith("r") and resident and " dd" not in line:
                seen.append(found[:3])
    return [one for one in seen if one[2] not in ("[vvar]", "[vdso]", "[vsyscall]")]


def in_memory(pid, patterns):
    """Where patterns are; (name of the mapping, what). Second: how many bytes were read."""
    found, size = set(), 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, name in dumped(pid):
            for at in range(begin, end, CHUNK):
                memory.seek(at)
                try:
                    data = memory.read(min(CHUNK + 64, end - at))
                except OSError:  # a device's
                    break
                size += len(data)
                found |= {(name, what) for what, wanted in patterns if wanted in data}
    return found, size


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pid", type=int, required=True)
    asked.add_argument("--told", nargs="+", type=pathlib.Path, required=True)
    asked.add_argument("--key", nargs="+", type=pathlib.Path, required=True)
    asked.add_argument("--plain", type=pathlib.Path, help="what captures must not have either")
    options = asked.parse_args()
    patterns = [one for path in options.key for one in patterns_of(path)]
    found, size = in_memory(options.pid, patterns)
    clear = []
    if options.plain:
        data = options.plain.read_bytes()
        # A second's capture has some of these for certain.
        clear = [(f"{options.plain.name} at {at}", data[at:at + 32])
                 for at in range(100, len(data), 20 * 1316)]
    for path in options.told:
        data = path.read_bytes()
        size += len(data)
        found |= {(path.name, what) for what, wanted in patterns if wanted in data}
        if path.suffix == ".pcapng":
            found |= {(path.name, what) for what, wanted in clear if wanted in data}
    for name, what in sorted(found):
        print(f"{name} has {what}")
    print(f"{len(patterns)} patterns in {size / 1e6:.0f} MB")
    sys.exit(1 if found else 0)


main()
