# SPDX-License-Identifier: Apache-2.0
"""Files of at most 300 lines, lines of at most 100 columns. (Functions: clang-tidy.)"""
import house

LINES = 300
COLUMNS = 100


def complaints(root, _build=None):
    found = []
    for path in house.files(root, *house.CODE, ".py", ".build", ".yaml") + house.scripts(root):
        file = house.name(root, path)
        number = 0
        for number, line in house.numbered(path):
            if len(line) > COLUMNS:
                found.append(f"{file}:{number}: {len(line)} columns, at most {COLUMNS}")
            if line != line.rstrip() or "\t" in line:
                found.append(f"{file}:{number}: a tab, or blanks at the end")
        if number > LINES:
            found.append(f"{file}:{LINES}: {number} lines, at most {LINES}")
    return found


if __name__ == "__main__":
    house.main(complaints)
