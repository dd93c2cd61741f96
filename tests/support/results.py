# SPDX-License-Identifier: Apache-2.0
"""Turns meson's log of a suite into rows for deploy/test.sh.

results.py LOG.json PLACE: prints STATUS, "PASSED FAILED SKIPPED", NAME and DETAIL, parted by tabs,
for each program, and keeps what failed as PLACE/NAME.log. GoogleTest's cases are counted singly.
"""
import collections
import json
import pathlib
import re
import sys

CASE = re.compile(r"^\[ *(OK|FAILED|SKIPPED|RUN) *\] (\w+(?:/\w+)*\.\w+(?:/\w+)*)(?: \(| *$|,)",
                  re.MULTILINE)
SKIP_REASON = re.compile(r": Skipped\n(.*)\n")
SHOWN = 3


def cases(output):
    """{case: OK, FAILED, SKIPPED, or RUN where the program died in it}."""
    seen = {}
    for verdict, case in CASE.findall(output):
        seen[case] = verdict
    return seen


def row(entry):
    output = entry["stdout"]
    verdicts = cases(output)
    counts = collections.Counter(verdicts.values())
    good = entry["result"] in ("OK", "EXPECTEDFAIL")
    if entry["result"] == "SKIP":
        lines = output.strip().splitlines() or ["says not why"]
        return "skip", (0, 0, 1), lines[-1]
    if not verdicts:
        text = output.strip() or entry.get("stderr", "").strip() or f"exit {entry['returncode']}"
        return ("ok", (1, 0, 0), f"{entry['duration']:.1f} s") if good else \
            ("FAIL", (0, 1, 0), f"{entry['result']}: {text.splitlines()[-1]}")
    broken = [case for case, verdict in verdicts.items() if verdict in ("FAILED", "RUN")]
    numbers = (counts["OK"], max(len(broken), 0 if good else 1), counts["SKIPPED"])
    if not good:
        more = f" and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
        return "FAIL", numbers, ", ".join(broken[:SHOWN]) + more + f" ({entry['result']})"
    detail = f"{counts['OK']} tests  {entry['duration']:.1f} s"
    if counts["SKIPPED"]:
        reasons = sorted(set(SKIP_REASON.findall(output))) or ["says not why"]
        detail += f"  ({counts['SKIPPED']} skipped: {'; '.join(reasons)})"
    return "ok", numbers, detail


def main(log, place):
    if not log.is_file():
        return
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    for entry in sorted(entries, key=lambda entry: entry["name"]):
        name = entry["name"].split(" / ")[-1]
        status, numbers, detail = row(entry)
        if status == "FAIL":
            kept = place / f"{name}.log"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(entry["stdout"] + entry.get("stderr", ""))
            detail += f"; log {kept}"
        print(status, " ".join(map(str, numbers)), name, detail, sep="\t")


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
