# SPDX-License-Identifier: Apache-2.0
"""Words that have no place: unfinished work, one machine's paths, what a worker may not do."""
import re

import house

EVERYWHERE = {
    r"\b(TODO|FIXME|XXX|HACK)\b": "unfinished, by its own words",
    r"(?i)\bnot (yet )?implemented\b": "unfinished, by its own words",
    r"(?<![\w.}])/(work|farm|tmp|home|root|Users)/": "a path of one machine",
    r"(?i)\bissue #?\d": "a number that means nothing to a reader of the code",
}
# Stages and what they use: no packet waits for a lock, a log, the heap's clean-up or a throw.
WORKER = {
    r"std::(cout|cerr|clog)\b|\bprintf\(|\bspdlog\b": "a worker neither prints nor logs",
    r"\bthrow\b": "a worker does not throw",
    r"std::\w*(mutex|lock|condition_variable)\b": "a worker takes no lock",
    r"\bstd::this_thread::sleep": "a worker does not sleep",
    r"\brte_pktmbuf_clone\b": "138 to 173 cycles; a header mbuf and a reference cost 58",
    r"\brte_(panic|exit)\b": "use CG_CHECK",
}
DPDK_ROOMS = {r"std::(cout|cerr|clog)\b|(?<!\w)printf\(": "printing is the control plane's"}
PAGE = re.compile(r"[\w./-]+\.md\b")


def rules_for(root, file):
    """The patterns that hold for a file, by the room it lies in."""
    yield EVERYWHERE
    parts = file.split("/")
    if parts[0] == "dataplane" and len(parts) > 2 and parts[1] != "contract":
        yield WORKER
    elif parts[0] in ("dataplane", "drivers"):
        yield DPDK_ROOMS


def line_complaints(root, file, number, line):
    for rules in rules_for(root, file):
        for pattern, reason in rules.items():
            if match := re.search(pattern, line):
                yield f"{file}:{number}: '{match.group(0)}': {reason}"
    for page in PAGE.findall(line):
        near = (root / file).parent / page
        if not (root / page).is_file() and not near.is_file():
            yield f"{file}:{number}: {page}: there is no such page"


def complaints(root, _build=None):
    found = []
    sources = house.files(root, *house.CODE, ".py", ".build", ".yaml", ".md", ".txt")
    pages = [root / page for page in ("README.md", "DECISIONS.md") if (root / page).is_file()]
    for path in sources + house.scripts(root) + pages + [root / "meson.build"]:
        file = house.name(root, path)
        if file.startswith("tests/tidy/") or not path.is_file():
            continue  # the rules and their own negative examples say these words
        for number, line in house.numbered(path):
            found += line_complaints(root, file, number, line)
    return found


if __name__ == "__main__":
    house.main(complaints)
