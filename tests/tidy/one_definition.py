# SPDX-License-Identifier: Apache-2.0
"""A type has one definition: two headers that give one name to two types of one namespace build,
link, and run with either's functions for both."""
import re

import house

SCOPE = re.compile(
    r"^(?P<open>namespace (?P<name>[\w:]+) \{)|^\}  // namespace|^(?:template .*\n)?"
    r"(?:struct|class|enum class|union) (?:alignas\(.*?\) )?(?P<type>\w+)(?: final)?"
    r"(?: ?: ?[^;{]*)? \{", re.MULTILINE)


def definitions(text):
    """(line, namespace::Type) of each type that is defined outside of another."""
    inside = []
    for found in SCOPE.finditer(text):
        if found["open"]:
            inside.append(found["name"])
        elif found["type"]:
            line = text.count("\n", 0, found.start("type")) + 1
            yield line, "::".join([*inside, found["type"]])
        elif inside:
            inside.pop()


def complaints(root, _build=None):
    found, places = [], {}
    for path in house.files(root, ".h"):
        for line, name in definitions(path.read_text()):
            place = f"{house.name(root, path)}:{line}"
            if name in places:
                found.append(f"{place}: {name} is defined in {places[name]} too")
            places.setdefault(name, place)
    return found


if __name__ == "__main__":
    house.main(complaints)
