# SPDX-License-Identifier: Apache-2.0
"""A test's name is a sentence in snake_case, of three words or more; documents name real ones, and
files of the tests that are there."""
import re

import house

CPP = re.compile(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
PYTHON = re.compile(r"^\s+def test_(\w+)\(", re.MULTILINE)
SENTENCE = re.compile(r"[a-z0-9]+(_[a-z0-9]+){2,}")


CASE = re.compile(r"^@case\ndef (\w+)\(", re.MULTILINE)
NAMED = re.compile(r"`([a-z0-9]+(?:_[a-z0-9]+){3,})`")  # three words and fewer are keys


FILE = re.compile(r"`(tests/[\w/.]+)`")


def unknown_names(root, known):
    """Tests and their files that a document of ours names and nobody has."""
    for path in house.files(root, ".md", rooms=["pipelines"]):
        if path.name == "reference.md":
            continue
        for number, line in house.numbered(path):
            for name in NAMED.findall(line):
                if name not in known:
                    yield f"{house.name(root, path)}:{number}: no test is called {name}"
            for file in FILE.findall(line):
                if not (root / file).exists():
                    yield f"{house.name(root, path)}:{number}: there is no {file}"


def complaints(root, _build=None):
    found, known = [], set()
    for path in house.files(root, ".cc", ".py", rooms=["tests"]):
        text = path.read_text()
        names = CPP.findall(text) if path.suffix == ".cc" else \
            [(None, name) for name in PYTHON.findall(text)]
        known |= {name for _, name in names} | set(CASE.findall(text))
        for suite, name in names:
            line = text[:text.index(name)].count("\n") + 1
            if not SENTENCE.fullmatch(name):
                found.append(f"{house.name(root, path)}:{line}: test {name} is no sentence")
            if suite and not re.fullmatch(r"([A-Z][a-z0-9]*)+", suite):
                found.append(f"{house.name(root, path)}:{line}: suite {suite} is not CamelCase")
    return found + list(unknown_names(root, known))


if __name__ == "__main__":
    house.main(complaints)
