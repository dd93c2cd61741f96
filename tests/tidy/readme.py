# SPDX-License-Identifier: Apache-2.0
"""Runs what README.md tells its reader to type.

readme.py FILE list | name N | run N: the blocks fenced as ```sh are commands. A block runs in the
directory it is called in, by bash, and stops at its first failure. `deploy/test.sh` runs this, so
its own line is left out; a block fenced as ```sh root needs root and skips (exit 77) without.
"""
import os
import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"^```sh( root)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN_ELSEWHERE = re.compile(r"^deploy/(test|quickstart)\.sh\b.*\n", re.MULTILINE)


def blocks(path):
    """[(needs root, commands)], without the commands that are tiers of their own."""
    found = [(bool(root), RUN_ELSEWHERE.sub("", text)) for root, text in
             BLOCK.findall(path.read_text())]
    return [(root, text) for root, text in found if text.strip()]


def name(text):
    """What a row calls a block: the first words of its first command."""
    first = next(line for line in text.splitlines() if line and not line.startswith("#"))
    return re.sub(r"\s+", "_", " ".join(re.findall(r"[\w./-]+", first)[:3]))[-34:]


def main(path, action, number=0):
    if action == "list":
        print("\n".join(map(str, range(len(blocks(path))))))
        return 0
    root, text = blocks(path)[number]
    if action == "name":
        print(name(text))
        return 0
    if root and os.getuid() != 0:
        print("needs root")
        return 77
    return subprocess.run(["bash", "-euo", "pipefail", "-c", text]).returncode


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2], int((sys.argv + ["0"])[3])))
