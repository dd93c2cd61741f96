# SPDX-License-Identifier: Apache-2.0
"""What a replay case needs: captures, the program, and judges that are not castgate."""
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "pcaps"))
import capture_file  # noqa: E402
import frames  # noqa: E402

REAL_CAPTURES = pathlib.Path(os.environ.get("CASTGATE_PCAPS", ROOT.parent / "shared" / "pcaps"))
CASES = []


class Skipped(Exception):
    """The machine lacks what the case needs; the text says what."""


def case(function):
    """Registers a test; its name is the sentence that it proves."""
    CASES.append(function)
    return function


def check(holds, *told):
    if not holds:
        raise AssertionError(" ".join(map(str, told))[:4000])


def equal(got, wanted, what):
    check(got == wanted, f"{what}: got {got}, expected {wanted}")


class Outcome:
    """One replay that ended: exit code, what it printed, and the captures that it wrote."""

    def __init__(self, run, outs):
        self.code, self.outs = run.returncode, outs
        self.stdout, self.stderr = run.stdout, run.stderr
        self.report = json.loads(run.stdout) if run.stdout.startswith("{") else None

    def out(self, port):
        return capture_file.read_pcap(self.outs[port])

    def stream(self, name="s"):
        return next(one for one in self.report["streams"] if one["name"] == name)

    def leg(self, leg, stream="s"):
        return next(one for one in self.stream(stream)["legs"] if one["name"] == leg)

    def port(self, name):
        return next(one for one in self.report["ports"] if one["name"] == name)

    def drops(self):
        return {name: count for name, count in self.report["drops"].items() if count}

    def balanced(self, packets_in):
        """Every packet is accounted for, and none is left."""
        ledger = self.report["ledger"]
        equal(ledger["in"], packets_in, "ledger.in")
        equal(ledger["in"] + ledger["created"],
              ledger["out"] + ledger["dropped"] + ledger["held"], f"ledger {ledger}")
        equal(ledger["held"], 0, "held at the end")
        equal(sum(self.drops().values()), ledger["dropped"], f"sum of drops {self.drops()}")
        equal(self.report["result"]["packets_in"], packets_in, "packets_in")
        equal(self.report["result"]["packets_out"], ledger["out"], "packets_out")


class Scene:
    """A directory of a case's own, and the program under test."""

    def __init__(self, castgate, place):
        self.castgate, self.place = castgate, place

    def capture(self, name, packets, **how):
        path = self.place / name
        write = capture_file.write_pcapng if ".pcapng" in name else capture_file.write_pcap
        write(path, packets, **how)
        return path

    def file(self, name, content):
        path = self.place / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def pipeline(self, document):
        """JSON is YAML."""
        return self.file("pipeline.yaml", json.dumps(document, indent=1))

    def run(self, pipeline, ins, outs=None, expect=None, options=()):
        """`ins`, `outs`, `expect`: {port: path}. Fails the case where castgate dies by a signal."""
        outs = {port: self.place / name for port, name in (outs or {}).items()}
        words = [self.castgate, "replay", pipeline]
        for option, files in (("--in", ins), ("--out", outs), ("--expect", expect or {})):
            for port, path in files.items():
                words += [option, f"{port}={path}"]
        run = subprocess.run([*map(str, words), *options], capture_output=True, text=True,
                             timeout=100, cwd=self.place)
        check(run.returncode >= 0, f"castgate died by signal {-run.returncode}:",
              run.stderr[-2000:])
        return Outcome(run, outs)

    def replay(self, pipeline, ins, outs=None, expect=None, options=()):
        """A replay that must succeed; its report is parsed, and nothing is left unexplained."""
        fed = sum(len(capture_file.read_pcap(path)) if ".pcapng" not in str(path) else
                  count_pcapng(path) for path in ins.values())
        outcome = self.run(pipeline, ins, outs, expect, ["--json", *options])
        check(outcome.code == 0, f"exit {outcome.code}:", outcome.stderr[-2000:],
              json.dumps((outcome.report or {}).get("result", {}), indent=1))
        outcome.balanced(fed)
        return outcome


def count_pcapng(path):
    """How many enhanced packet blocks a pcapng of one section has."""
    data, at, count = open(path, "rb").read(), 0, 0
    while at < len(data):
        kind, size = (int.from_bytes(data[at + i:at + i + 4], "little") for i in (0, 4))
        count, at = count + (kind == 6), at + size
    return count


def document(legs, outputs, *, ports=None, failover=None, streams=None, sequence="rtp"):
    """A pipeline of one stream `s` on ports red, blue and out; `ports` adds keys to a port."""
    names = ["red", "blue", "out"] + [name for name in (ports or {})
                                      if name not in ("red", "blue", "out")]
    made = {name: {"device": f"net_null{number}", "mac": f"02:00:00:00:00:{number + 1:02x}",
                   **(ports or {}).get(name, {})} for number, name in enumerate(names)}
    stream = {"legs": legs, "sequence": sequence,
              "failover": {"max_skew": "10ms", "max_rate": "10kpps", **(failover or {})},
              "outputs": outputs}
    return {"schema": 1, "appliance": {"name": "replay"}, "ports": made,
            "streams": {"s": stream, **(streams or {})}}


def fields(path, names, filters="", decode=()):
    """tshark's view of a capture: a list of tuples. It recomputes every checksum."""
    if not shutil.which("tshark"):
        raise Skipped("tshark is not installed")
    words = ["tshark", "-n", "-r", str(path), "-o", "ip.check_checksum:TRUE", "-o",
             "udp.check_checksum:TRUE", "-T", "fields", "-E", "occurrence=l"]
    words += [word for name in names for word in ("-e", name)]
    words += [word for rule in decode for word in ("-d", rule)]
    words += ["-Y", filters] if filters else []
    run = subprocess.run(words, capture_output=True, text=True, check=True, timeout=100)
    return [tuple(line.split("\t")) for line in run.stdout.splitlines()]


def judged_by_tshark(path, *, unsummed=False, outer_only=False):
    """Every checksum is right: 1 is good; 3 is a UDP checksum that is not there. `outer_only`: some
    packets have no UDP header that can be read."""
    statuses = collections.Counter(fields(path, ["ip.checksum.status", "udp.checksum.status"]))
    good = {("1", "3" if unsummed else "1"), ("", "1")}
    if outer_only:
        good |= {("1", ""), ("", "")}
    check(statuses and set(statuses) <= good, "tshark's checksum verdicts:", dict(statuses))


def rtp_numbers(packets, offset=42):
    """The RTP sequence numbers of frames whose UDP payload begins at `offset`."""
    return [int.from_bytes(frame[offset + 2:offset + 4], "big") for _, frame in packets]
