# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over every source; what passed unchanged before is not judged again.

clang_tidy.py ROOT BUILD [SECONDS]: with a limit, sources left over are named and are a failure.
"""
import concurrent.futures
import subprocess
import sys
import time

import house


def judge(root, build, file, mark):
    run = subprocess.run(["clang-tidy-19", "--quiet", f"-p={build}", str(root / file)],
                         cwd=root, text=True, capture_output=True)
    if run.returncode == 0:
        mark.touch()
        return []
    told = [line.removeprefix(f"{root}/") for line in run.stdout.splitlines()
            if "error:" in line or "warning:" in line]
    return told or [f"{file}:1: clang-tidy failed: {run.stderr[-300:]}"]


def complaints(root, build, seconds=float("inf")):
    end = time.monotonic() + seconds
    passed = house.Passed(build, "clang-tidy")
    settings = (root / ".clang-tidy").read_text()

    def turn(file, flags):
        mark = passed.key(root, root / file, settings, flags)
        if mark.exists():
            return []
        if time.monotonic() > end:
            return [f"{file}: not judged within {seconds:.0f} s; run again, what passed is kept"]
        return judge(root, build, file, mark)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(turn, file, flags)
                 for file, flags in sorted(house.compile_flags(root, build).items())]
        return [line for one in turns for line in one.result()]


if __name__ == "__main__":
    if len(sys.argv) > 3:
        limit = float(sys.argv.pop(3))
        house.main(lambda root, build: complaints(root, build, limit))
    house.main(complaints)
