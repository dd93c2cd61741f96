# SPDX-License-Identifier: Apache-2.0
"""Shell scripts parse, shellcheck (where installed) agrees; Python compiles."""
import ast
import shutil
import subprocess

import house


def complaints(root, _build=None):
    found = []
    for path in house.files(root, ".py"):
        try:
            ast.parse(path.read_text())
        except SyntaxError as error:
            found.append(f"{house.name(root, path)}:{error.lineno}: {error.msg}")
    judges = [["bash", "-n"]]
    if shutil.which("shellcheck"):
        judges.append(["shellcheck", "--external-sources", "--format=gcc", "--severity=warning"])
    for path in house.scripts(root):
        for judge in judges:
            run = subprocess.run([*judge, house.name(root, path)], cwd=root, text=True,
                                 capture_output=True)
            if run.returncode:
                found += (run.stdout + run.stderr).splitlines()
                break
    return found


if __name__ == "__main__":
    house.main(complaints)
