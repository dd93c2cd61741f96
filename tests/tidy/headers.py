# SPDX-License-Identifier: Apache-2.0
"""Each header compiles alone, with the flags of its room.

A header that its source includes first has been compiled alone by every build; this judges the
others.
"""
import concurrent.futures
import re
import subprocess

import house


def users(root, known):
    """{header: a source that includes it, perhaps through others}."""
    found = {}
    for source in sorted(known):
        for header in house.with_headers(root, root / source):
            found.setdefault(house.name(root, header), source)
    return found


def nearest(file, known):
    """The source that shares the longest path with a header nobody includes."""
    def shared(other):
        pairs = zip(file.split("/"), other.split("/"))
        return next((i for i, (a, b) in enumerate(pairs) if a != b), 0)
    return max(sorted(known), key=shared)


def is_built_first(root, path, known):
    source = path.with_suffix(".cc")
    if house.name(root, source) not in known:
        return False
    include = re.search(r'^#include ["<](.*)[">]', source.read_text(), re.MULTILINE)
    return include is not None and include[1] == house.name(root, path)


def compile_alone(root, path, flags, passed):
    directory, words = flags
    mark = passed.key(root, path, words)
    if mark.exists():
        return []
    run = subprocess.run(["c++", *words, "-fdiagnostics-color=never", "-fsyntax-only",
                          "-x", "c++", "-"],
                         input=f'#include "{house.name(root, path)}"\n', cwd=directory,
                         text=True, capture_output=True)
    if run.returncode == 0:
        mark.touch()
        return []
    first = next((line for line in run.stderr.splitlines() if "error:" in line), run.stderr)
    return [f"{house.name(root, path)}:1: does not compile alone: {first}"]


def complaints(root, build):
    known = house.compile_flags(root, build)
    if not known:
        return [f"compile_commands.json in {build} names no source of ours"]
    passed = house.Passed(build, "headers")
    user = users(root, known)

    def judge(path):
        file = house.name(root, path)
        return compile_alone(root, path, known[user.get(file) or nearest(file, known)], passed)

    others = [path for path in house.files(root, ".h") if not is_built_first(root, path, known)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return [line for lines in pool.map(judge, others) for line in lines]


if __name__ == "__main__":
    house.main(complaints)
