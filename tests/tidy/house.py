# SPDX-License-Identifier: Apache-2.0
"""What the rules share: which files are ours, and how a rule is run.

A rule is a module with `complaints(root, build)`, a list of lines `file:line: what is wrong`.
"""
import hashlib
import json
import pathlib
import re
import shlex
import sys

ROOMS = ("dataplane", "controlplane", "drivers", "pipelines", "tests", "pcaps", "deploy", ".ci")
CODE = (".h", ".cc")
LOCAL_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def files(root, *suffixes, rooms=ROOMS):
    """Our files with these suffixes, sorted; build directories and caches are nobody's."""
    return sorted({path for room in rooms for path in (root / room).rglob("*")
                   if path.suffix in suffixes and path.is_file()
                   and "__pycache__" not in path.parts})


def scripts(root):
    """Shell scripts, by suffix or by their first line."""
    named = files(root, ".sh")
    for path in files(root, ""):
        if path.read_bytes()[:64].split(b"\n")[0].endswith((b"/bash", b"/sh", b"env bash")):
            named.append(path)
    return sorted(named)


def numbered(path):
    return enumerate(path.read_text(errors="replace").splitlines(), 1)


def name(root, path):
    return str(path.relative_to(root))


def compile_flags(root, build):
    """{source file: (directory, flags)} from compile_commands.json, without what names outputs."""
    flags = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        start = next(i for i, word in enumerate(words) if word.startswith("-"))
        kept, skip = [], False
        for word in words[start:]:
            if skip:
                skip = False
            elif word in ("-o", "-MF", "-MQ", "-c"):
                skip = True
            elif word not in ("-MD", "-MMD"):
                kept.append(word)
        source = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if source.is_relative_to(root):
            flags[name(root, source)] = (entry["directory"], kept)
    return flags


def with_headers(root, path, seen=None):
    """The file and every header of ours that it reaches."""
    seen = {} if seen is None else seen
    if path not in seen and path.is_file():
        seen[path] = path.read_text(errors="replace")
        for header in LOCAL_INCLUDE.findall(seen[path]):
            with_headers(root, root / header, seen)
    return seen


class Passed:
    """Remembers by content what passed, so that a slow judge sees only what has changed."""

    def __init__(self, build, judge):
        self.place = build / "tidy-passed"
        self.place.mkdir(parents=True, exist_ok=True)
        self.judge = judge

    def key(self, root, path, *more):
        digest = hashlib.sha256(f"{self.judge} {more}".encode())
        for file, text in sorted(with_headers(root, path).items()):
            digest.update(f"{name(root, file)}\0{text}\0".encode())
        return self.place / digest.hexdigest()


def main(complaints):
    """Runs a rule as a program: RULE ROOT [BUILD]. Exit 1 with the complaints, else 0."""
    root = pathlib.Path(sys.argv[1]).resolve()
    build = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
    found = sorted(set(complaints(root, build)))
    print("\n".join(found))
    if len(found) > 1:
        print(f"{len(found)} complaints, the first: {found[0]}")
    sys.exit(bool(found))
