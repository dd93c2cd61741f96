# SPDX-License-Identifier: Apache-2.0
"""The licence is the first line of every source file; headers say #pragma once."""
import re

import house

LINE = re.compile(r"^(//|#) SPDX-License-Identifier: Apache-2\.0$")


def complaints(root, _build=None):
    found = []
    for path in house.files(root, *house.CODE, ".py", ".build") + house.scripts(root):
        lines = path.read_text(errors="replace").splitlines() or [""]
        first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        if not LINE.match(first):
            found.append(f"{house.name(root, path)}:1: does not begin with the SPDX line")
        if path.suffix == ".h" and "#pragma once" not in lines:
            found.append(f"{house.name(root, path)}:1: no #pragma once")
    return found


if __name__ == "__main__":
    house.main(complaints)
