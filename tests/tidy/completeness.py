# SPDX-License-Identifier: Apache-2.0
"""A stage without its test, its replay and its entry in the reference is not finished."""
import re

import house

REASON = re.compile(r'\{"(\w+)",\s*"(\w+)",')
NOT_STAGES = {"base", "contract"}


def text_of(paths):
    return "\n".join(path.read_text(errors="replace") for path in paths)


def camel(snake):
    return "".join(part.capitalize() for part in snake.split("_"))


def stages(root):
    """The directories of dataplane/ that hold code and are neither base nor contract."""
    holds_code = {path.parent for path in house.files(root, ".cc", ".h", rooms=["dataplane"])}
    top = root / "dataplane"
    return sorted(p.name for p in holds_code if p.parent == top and p.name not in NOT_STAGES)


def stage_complaints(root, stage, reasons, tests, reference):
    where = f"dataplane/{stage}"
    unit = text_of(house.files(root, ".cc", rooms=["tests/unit"]))
    replay = text_of(house.files(root, ".cc", ".py", ".sh", ".yaml", rooms=["tests/replay"]))
    if f'"dataplane/{stage}/' not in unit:
        yield f"{where}: no unit test includes a header of this stage"
    if not re.search(rf"\b{stage}", replay):
        yield f"{where}: no replay case names this stage"
    if stage not in reference:
        yield f"{where}: pipelines/reference.md does not name this stage"
    own = text_of(house.files(root, ".cc", ".h", rooms=[where]))
    every = text_of(house.files(root, ".cc", ".h", rooms=["dataplane", "drivers"]))
    for reason in (name for name, owner in reasons if owner == stage):
        if f"DropReason::{camel(reason)}" not in own + every:
            yield f"{where}: drop reason {reason} is never given"
        if reason not in reference:
            yield f"{where}: drop reason {reason} is not in pipelines/reference.md"
        if not re.search(rf"\b({reason}|{camel(reason)})\b", tests):
            yield f"{where}: no test names drop reason {reason}"


def complaints(root, _build=None):
    table = root / "dataplane/contract/drop_reason.h"
    reasons = REASON.findall(table.read_text()) if table.is_file() else []
    page = root / "pipelines/reference.md"
    reference = page.read_text() if page.is_file() else ""
    tests = text_of(p for p in house.files(root, ".cc", ".py", ".sh", rooms=["tests"])
                    if "tidy" not in p.parts)
    found = []
    present = stages(root)
    for stage in present:
        found += stage_complaints(root, stage, reasons, tests, reference)
    for reason, owner in reasons:
        if present and owner not in present:
            found.append(f"dataplane/contract/drop_reason.h: {reason}: there is no stage {owner}")
    for example in house.files(root, ".yaml", rooms=["pipelines"]):
        if example.name not in tests and example.stem not in tests:
            found.append(f"{house.name(root, example)}: no test replays this example")
    return found


if __name__ == "__main__":
    house.main(complaints)
