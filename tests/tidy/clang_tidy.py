# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over every source; what passed unchanged before is not judged again.

clang_tidy.py ROOT BUILD [SECONDS]: within a limit, what changed last is judged first, and exit 77
with a last line says how many sources are left for another run.
"""
import concurrent.futures
import pathlib
import subprocess
import sys
import time

import house


def newest_first(root, files):
    """Sources in the order of git's last changes; without git, as they come."""
    run = subprocess.run(["git", "log", "-50", "--name-only", "--format="], cwd=root, text=True,
                         capture_output=True)
    age = {file: place for place, file in reversed(list(enumerate(run.stdout.split())))}
    return sorted(files, key=lambda file: (age.get(file, len(age)), file))


def judge(root, build, file, mark):
    # The compile commands are g++'s, some of whose warnings clang does not know.
    run = subprocess.run(["clang-tidy-19", "--quiet", "--extra-arg=-Wno-unknown-warning-option",
                          f"-p={build}", str(root / file)], cwd=root, text=True,
                         capture_output=True)
    if run.returncode == 0:
        mark.touch()
        return []
    told = [line.removeprefix(f"{root}/").removeprefix("../") for line in run.stdout.splitlines()
            if "error:" in line or "warning:" in line]
    return told or [f"{file}:1: clang-tidy failed: {run.stderr[-300:]}"]


def found_by_source(root, build, seconds=float("inf"), left_over=None):
    """The complaints of one source after the other, as they come."""
    end = time.monotonic() + seconds
    passed = house.Passed(build, "clang-tidy")
    settings = "".join(path.read_text() for path in sorted(root.rglob(".clang-tidy")))
    commands = house.compile_flags(root, build)

    def turn(file):
        if time.monotonic() > end:
            left_over.append(file)
            return []
        mark = passed.key(root, root / file, settings, commands[file])
        return [] if mark.exists() else judge(root, build, file, mark)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield from pool.map(turn, newest_first(root, commands))


def complaints(root, build):
    return [line for lines in found_by_source(root, build) for line in lines]


def main(root, build, seconds):
    left_over = []
    found = []
    for lines in found_by_source(root, build, seconds, left_over):
        new = sorted(set(lines).difference(found))  # a header's come from each that includes it
        for line in new:
            print(line, flush=True)
        found += new
    every = len(house.compile_flags(root, build))
    if found:
        print(f"{len(found)} complaints, the first: {found[0]}")
        return 1
    print(f"{every - len(left_over)} of {every} sources are clean"
          + (f"; {len(left_over)} not judged within {seconds:.0f} s" if left_over else ""))
    return 77 if left_over else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(),
                  float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")))
