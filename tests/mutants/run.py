#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Faults of one line, each of which a named test must see: tests/mutants/run.py [NAME...]

Each NAME.patch here says in its first lines which test program sees it and which of its tests
does. The patches are applied one by one to a copy of the sources in build-mutants/, never to the
checkout. A row per patch; exit 1 where a fault went unseen, or a patch does not apply or compile.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "mutants"
PLACE = ROOT / "build-mutants"
SOURCE, BUILD = PLACE / "source", PLACE / "build"


def call(*words, seconds=900):
    """(exit code, what it printed); a fault may make a program run for ever."""
    # Inside the checkout's directory git would look for its repository and pass over the patch.
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(PLACE), "CCACHE_BASEDIR": str(SOURCE),
           "CCACHE_NOHASHDIR": "1"}
    try:
        run = subprocess.run([str(word) for word in words], cwd=SOURCE, env=env, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
    except subprocess.TimeoutExpired:
        return 124, "did not end"
    return run.returncode, run.stdout


def copy_sources():
    """What git knows, as it stands in the checkout; files that did not change keep their time."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.splitlines()
    for name in names:
        old, new = ROOT / name, SOURCE / name
        if not old.is_file():
            continue
        if not new.exists() or new.read_bytes() != old.read_bytes():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(old, new)
    if not (BUILD / "build.ninja").exists():
        code, told = call("meson", "setup", BUILD, SOURCE, "-Dbuildtype=debugoptimized")
        if code:
            sys.exit(told[-2000:])


def wanted(patch):
    """(program, test) that the patch's head names."""
    head = patch.read_text()
    found = re.search(r"^Program: (\S+)\nTest: (\S+)$", head, re.M)
    if not found:
        sys.exit(f"{patch.name}: needs the lines 'Program: ...' and 'Test: Suite.name'")
    return found.groups()


def judge(patch):
    """(is it seen, what to print)."""
    program, test = wanted(patch)
    code, told = call("git", "apply", patch)
    if code:
        return False, f"does not apply: {told.strip().splitlines()[-1]}"
    try:
        code, told = call("ninja", "-C", BUILD, f"tests/unit/{program}")
        if code:
            line = next((one for one in told.splitlines() if " error: " in one), "no reason told")
            return False, f"does not compile: {line[:100]}"
        code, told = call(BUILD / "tests" / "unit" / program, f"--gtest_filter={test}", seconds=60)
    finally:
        call("git", "apply", "-R", patch)
    if code == 0:
        return False, f"{test} does not see it"
    return True, f"{test} {'fails' if code == 1 else 'ends it'}"


def main(*names):
    patches = sorted(HERE.glob("*.patch"))
    chosen = [one for one in patches if not names or one.stem in names]
    if not chosen:
        sys.exit("no such patch; there are: " + ", ".join(one.stem for one in patches))
    copy_sources()
    programs = sorted({wanted(one) for one in chosen})
    code, told = call("ninja", "-C", BUILD, *{f"tests/unit/{name}" for name, _ in programs})
    if code:
        sys.exit(told[-2000:])
    for program, test in programs:
        code, told = call(BUILD / "tests" / "unit" / program, f"--gtest_filter={test}")
        if code or " 1 test " not in told:
            sys.exit(f"{test} does not pass without a fault:\n{told[-1000:]}")
    unseen = 0
    for patch in chosen:
        seen, told = judge(patch)
        unseen += not seen
        print(f"{'seen' if seen else 'NOT SEEN':8}  {patch.stem:36}  {told}", flush=True)
    print(f"\n{len(chosen) - unseen} of {len(chosen)} faults were seen")
    return unseen > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
