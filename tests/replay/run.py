#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole pipelines from capture to capture: run.py CASTGATE [CASE...]

Prints a line per case as GoogleTest does; exit 1 where one failed. A failed case's files are kept
where CASTGATE_KEEP names a directory."""
import concurrent.futures
import importlib
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
import harness

MODULES = ["hitless_cases", "format_cases", "message_cases", "header_cases", "stream_cases",
           "fingerprint_cases", "event_cases", "ingest_cases", "identity_cases", "edge_cases",
           "wild_cases", "real_cases", "real_split_cases", "refusal_cases", "capture_cases",
           "trace_cases", "prefer_cases", "restamp_cases", "offset_cases", "unicast_cases",
           "unicast_limit_cases", "fan_cases", "protect_cases", "esp_cases", "open_cases",
           "player_cases", "esp_open_cases", "esp_refuse_cases", "isolation_cases",
           "example_cases"]


def run(function, castgate):
    """(verdict, lines to print) of one case."""
    began = time.monotonic()
    place = pathlib.Path(tempfile.mkdtemp(prefix="castgate-replay-"))
    label = f"ReplayTest.{function.__name__}"
    try:
        function(harness.Scene(castgate, place))
        verdict, told = "OK", ""
    except harness.Skipped as why:
        verdict, told = "SKIPPED", f"{label}: Skipped\n{why}\n"
    except Exception:  # a case that raises anything has failed
        verdict, told = "FAILED", f"{label}: Failure\n{traceback.format_exc(limit=-3)}\n"
        if keep := os.environ.get("CASTGATE_KEEP"):
            shutil.copytree(place, pathlib.Path(keep) / function.__name__, dirs_exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    spent = int(1000 * (time.monotonic() - began))
    tag = {"OK": "[       OK ]", "SKIPPED": "[  SKIPPED ]", "FAILED": "[  FAILED  ]"}[verdict]
    return verdict, f"{told}{tag} {label} ({spent} ms)"


def main(castgate, *names):
    for module in MODULES:
        importlib.import_module(module)
    cases = [one for one in harness.CASES if not names or one.__name__ in names]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for verdict, lines in pool.map(lambda one: run(one, pathlib.Path(castgate).resolve()),
                                       cases):
            print(lines, flush=True)
            failed += verdict == "FAILED"
    print(f"{len(cases) - failed} of {len(cases)} cases without a failure")
    return failed > 0 or not cases


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
