# SPDX-License-Identifier: Apache-2.0
"""clang-format finds nothing to change."""
import subprocess

import house

BATCH = 50


def complaints(root, _build=None):
    found = []
    sources = [str(path) for path in house.files(root, *house.CODE)]
    for start in range(0, len(sources), BATCH):
        run = subprocess.run(["clang-format-19", "--dry-run", "-Werror"]
                             + sources[start:start + BATCH],
                             cwd=root, text=True, capture_output=True)
        found += [line.removeprefix(f"{root}/") for line in run.stderr.splitlines()
                  if "error:" in line]
    return found


if __name__ == "__main__":
    house.main(complaints)
