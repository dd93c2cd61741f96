# SPDX-License-Identifier: Apache-2.0
"""Who may include whom, and where DPDK may be seen."""
import re

import house

BASE = {"dataplane/base"}
CONTRACT = BASE | {"dataplane/contract"}
# room: (rooms whose headers it may include, may it include DPDK)
RULES = {
    "dataplane/base": (BASE, False),
    "dataplane/contract": (CONTRACT, False),
    "drivers": (CONTRACT | {"drivers"}, True),
    "dataplane": (CONTRACT | {"drivers", "dataplane"}, True),
    "pipelines": (CONTRACT | {"pipelines"}, False),
    "controlplane": (CONTRACT | {"pipelines", "controlplane"}, False),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def room_of(path):
    """The most specific room a path lies in; None for tests and system headers."""
    return max((room for room in RULES if path.startswith(room + "/")), key=len, default=None)


def judge(where, room, quote, header):
    allowed, dpdk = RULES[room]
    if header.startswith("rte_") and not dpdk:
        yield f"{where}: DPDK header {header} in a room without DPDK"
    if quote == '"' and room_of(header) is None:
        yield f"{where}: {header} is no path from the top to a header of a room"
    elif quote == '"' and room_of(header) not in allowed:
        yield f"{where}: {room} may not include {header}"


def complaints(root, _build=None):
    found = []
    for path in house.files(root, *house.CODE, rooms=RULES):
        file = house.name(root, path)
        for number, line in house.numbered(path):
            if match := INCLUDE.match(line):
                found += judge(f"{file}:{number}", room_of(file), *match.groups())
    for room, (_, dpdk) in RULES.items():
        build_file = root / room / "meson.build"
        if dpdk or not build_file.is_file():
            continue
        for number, line in house.numbered(build_file):
            if re.search(r"\bdpdk\b", line.split("#")[0]):
                found.append(f"{room}/meson.build:{number}: DPDK given to a room without DPDK")
    return found


if __name__ == "__main__":
    house.main(complaints)
