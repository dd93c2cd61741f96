# SPDX-License-Identifier: Apache-2.0
"""Every source is built: it stands in a meson.build of its directory or above."""
import re

import house

# How a tier's list calls a file: NAME for NAME_test.cc, NAME_fuzz.cc, NAME_bench.cc.
LISTED_AS = re.compile(r"(_test|_fuzz|_bench)?\.cc$")


def builds_above(root, path):
    for directory in path.parents:
        if directory.is_relative_to(root) and (directory / "meson.build").is_file():
            yield directory, (directory / "meson.build").read_text()


def is_built(root, path):
    short = LISTED_AS.sub("", path.name)
    for directory, text in builds_above(root, path):
        names = {str(path.relative_to(directory)), path.name, short}
        if any(f"'{name}'" in text for name in names) or f"'{path.stem}'" in text:
            return True
    lists = (root / path.relative_to(root).parts[0]).rglob("meson.build")  # from a sibling: support
    return any(f"{path.parent.name}/{path.name}'" in text.read_text() for text in lists)


def complaints(root, _build=None):
    return [f"{house.name(root, path)}:1: no meson.build names it: it is not built"
            for path in house.files(root, ".cc") if not is_built(root, path)]


if __name__ == "__main__":
    house.main(complaints)
