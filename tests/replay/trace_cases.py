# SPDX-License-Identifier: Apache-2.0
"""castgate trace: what happened to one packet, told by captures whose every packet is known."""
import json
import subprocess

import frames
import harness
import lossy_pair
from harness import case, check, equal
from stream_cases import A, B, LEGS, MAIN, STEP, at, packet, steady


class Traced:
    """A pipeline and its captures, ready to be asked about any packet."""

    def __init__(self, scene, red, blue, *, legs=None, outputs=None, **how):
        self.scene = scene
        self.pipeline = scene.pipeline(
            harness.document(legs or LEGS, outputs or {"main": MAIN}, **how))
        self.lines = self.pipeline.read_text().splitlines()
        self.ins = {"red": scene.capture("red.pcap", sorted(red)),
                    "blue": scene.capture("blue.pcap", sorted(blue))}

    def run(self, *options):
        words = [self.scene.castgate, "trace", self.pipeline]
        for port, path in self.ins.items():
            words += ["--in", f"{port}={path}"]
        return subprocess.run([*map(str, words), *map(str, options)], capture_output=True,
                              text=True, timeout=100)

    def ask(self, port, number):
        got = self.run("--port", port, "--packet", number, "--json")
        equal(got.returncode, 0, got.stderr)
        told = json.loads(got.stdout)
        for step in told["steps"]:
            # Where the key is in the file its line has its name, else that of what should hold it.
            name = step["key"].split(".")[-1] if step["given"] else ""
            check(name in self.lines[step["line"] - 1], step, self.lines[step["line"] - 1])
        return told

    def steps(self, port, number):
        return {step["what"]: step for step in self.ask(port, number)["steps"]}


def numbers_of(capture):
    """Which sequence number the packets of a capture have, and where: {sequence: packet}."""
    return {int.from_bytes(frame[44:46], "big"): place
            for place, (_, frame) in enumerate(harness.capture_file.read_pcap(capture), 1)}


@case
def trace_of_a_redundant_packet_names_the_copy_that_was_taken(scene):
    traced = Traced(scene, steady(A, without={3}), steady(B, late_ns=STEP // 4))
    told = traced.ask("blue", numbers_of(traced.ins["blue"])[50])
    equal(told["dropped"], "redundant", "dropped")
    equal(told["winner"], {"port": "red", "packet": numbers_of(traced.ins["red"])[50]}, "winner")
    last = told["steps"][-1]
    equal((last["what"], last["key"], last["time_ns"]),
          ("dropped", "streams.s.legs.A", at(50, late_ns=STEP // 4)), "last step")
    check("0.250000 ms earlier" in last["text"], last["text"])


@case
def trace_of_a_held_packet_names_the_gap_and_who_filled_it(scene):
    # By then leg A has shown four packets behind its loss, and so that it was one.
    traced = Traced(scene, steady(A, without={50}), steady(B, late_ns=6 * STEP))
    number = numbers_of(traced.ins["red"])[52]
    told = traced.ask("red", number)
    equal(told["held_ns"], 4 * STEP, "held")  # position 50 comes at 56, this at 52
    steps = {step["what"]: step for step in told["steps"]}
    filler = numbers_of(traced.ins["blue"])[50]
    check(f"behind position 50, which packet {filler} of blue (leg B) brought"
          in steps["held"]["text"], steps["held"]["text"])
    equal(steps["held"]["key"], "streams.s.failover.max_skew", "key")
    equal(steps["released"]["time_ns"], at(50, late_ns=6 * STEP), "released")
    check("239.9.0.1:5000 ← 10.0.0.9" in steps["sent"]["text"], steps["sent"]["text"])
    check("RTP seq 52 " in steps["sent"]["text"], steps["sent"]["text"])


@case
def trace_tells_which_limit_gave_a_gap_up(scene):
    red, blue = steady(A, without={50, 51}), steady(B, late_ns=STEP // 2, without={50, 51})
    passed = Traced(scene, red, blue).steps("red", 51)  # sequence 52
    check("behind positions 50 to 51, given up: both_lost" in passed["held"]["text"], passed)
    equal((passed["held"]["key"], passed["held"]["given"]),
          ("streams.s.failover.reorder_depth", False), "decided by")
    late = Traced(scene, red, steady(B, late_ns=40 * STEP), failover={"max_skew": "20ms"})
    steps = late.steps("red", 51)
    check("given up: deadline" in steps["held"]["text"], steps["held"]["text"])
    equal((steps["held"]["key"], steps["held"]["given"]), ("streams.s.failover.max_skew", True),
          "decided by")
    equal(steps["released"]["time_ns"] - steps["arrived"]["time_ns"], 20 * STEP, "held")
    told = late.ask("blue", numbers_of(late.ins["blue"])[50])
    equal(told["dropped"], "late_after_release", "dropped")
    check("positions 50 to 51, given up: deadline" in told["steps"][-1]["text"], told["steps"][-1])


@case
def trace_of_a_packet_that_no_leg_takes_says_why(scene):
    legs = {"A": {**LEGS["A"], "from": "10.1.0.5"}, "B": LEGS["B"]}
    stranger = lossy_pair.Leg("10.1.0.66", A.group, A.port)
    nobody = lossy_pair.Leg("10.1.0.5", "239.7.7.7", 5000)
    broken = bytearray(packet(A, 3))
    broken[24] ^= 0xFF
    red = [(at(0), packet(stranger, 1)), (at(1), packet(nobody, 2)), (at(2), bytes(broken)),
           (at(3), packet(A, 4))]
    traced = Traced(scene, red, steady(B, 3), legs=legs,
                    ports={"red": {"verify": {"ip_checksum": True}}})
    for number, reason, key in ((1, "source_filter", "streams.s.legs.A.from"),
                                (2, "no_feed", "ports.red"),
                                (3, "ip_checksum", "ports.red.verify.ip_checksum")):
        told = traced.ask("red", number)
        equal((told["dropped"], told["steps"][-1]["key"]), (reason, key), f"packet {number}")
        equal([step["what"] for step in told["steps"]], ["arrived", "dropped"], "steps")
    check("dropped" not in traced.ask("red", 4), "the good packet is dropped")


@case
def trace_shows_every_output_and_the_one_that_it_was_too_large_for(scene):
    outputs = {"main": MAIN, "second": {**MAIN, "to": "239.9.0.2:5000", "vlan": 7},
               "third": {**MAIN, "port": "narrow"}}
    large = [(at(n), packet(A, n, payload=bytes(900))) for n in range(9)]
    traced = Traced(scene, large, steady(B, 0), outputs=outputs,
                    ports={"narrow": {"mtu": 600}})
    steps = traced.ask("red", 5)["steps"]
    sent = [step for step in steps if step["what"] == "sent"]
    equal([step["key"] for step in sent],
          ["streams.s.outputs.main", "streams.s.outputs.second"], "sent")
    check("vlan 7 239.9.0.2:5000" in sent[1]["text"], sent[1])
    unsent = [step for step in steps if step["what"] == "not_sent"]
    equal([(step["key"], step["text"].split(": ")[:2]) for step in unsent],
          [("ports.narrow.mtu", ["output third", "mtu"])], "not sent")


@case
def trace_of_the_first_packets_says_that_the_stream_had_not_begun(scene):
    traced = Traced(scene, steady(A, 30), steady(B, 30, late_ns=2 * STEP))
    steps = traced.steps("red", 1)
    check("until the stream began" in steps["held"]["text"], steps["held"]["text"])
    equal(steps["released"]["time_ns"], at(2), "released")


@case
def trace_of_messages_finds_the_packet_that_had_them(scene):
    def mold(first, count):
        body = b"SESSION001" + first.to_bytes(8, "big") + count.to_bytes(2, "big")
        return body + b"".join(b"\x00\x04" + (first + i).to_bytes(4, "big") for i in range(count))

    def sent(leg, first, count):
        return frames.datagram(mold(first, count), leg.source, leg.group, leg.port, ip={"ttl": 8})

    red = [(at(n), sent(A, 1 + 4 * n, 4)) for n in range(20)]
    blue = [(at(n, late_ns=STEP // 2), sent(B, 3 + 4 * n, 2)) for n in range(20)]
    told = Traced(scene, red, blue, sequence="moldudp64").ask("blue", 8)
    equal((told["dropped"], told["winner"]), ("redundant", {"port": "red", "packet": 8}), "winner")
    check("positions 31 to 32" in told["steps"][1]["text"], told["steps"][1])


@case
def trace_of_a_packet_that_is_not_there_is_refused(scene):
    traced = Traced(scene, steady(A, 30), steady(B, 20))
    for options, told in ((["--packet", 31], "red.pcap has 30 packets, counted from 1"),
                          (["--packet", 0], "counted from 1"),
                          (["--port", "blue", "--packet", 21], "blue.pcap has 20 packets"),
                          (["--port", "out", "--packet", 1], "there are: red, blue")):
        got = traced.run(*options)
        equal(got.returncode, 2, f"exit of {options}")
        check(told in got.stderr, got.stderr)
    text = traced.run("--packet", 30).stdout
    for word in ("pipeline.yaml:", " arrived ", " sent "):
        check(word in text, text)
