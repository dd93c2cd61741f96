# SPDX-License-Identifier: Apache-2.0
"""The same packets in every container that replay reads, and several ports fed by one of them."""
import heapq

import harness
from harness import case, equal

import generate

PIPELINE = harness.ROOT / "pipelines" / "hitless.yaml"


def packets():
    return generate.demonstration(1200, 0.01, 11)


@case
def pcapng_and_gzip_are_read_like_pcap(scene):
    red, blue, expected, _ = packets()
    expect = {"out": scene.capture("expect.pcap.gz", expected)}
    for red_name, blue_name, nano in (("red.pcapng", "blue.pcap.gz", True),
                                      ("red.pcapng.gz", "blue.pcap", True),
                                      ("red.pcap", "blue.pcapng", False)):
        ins = {"red": scene.capture(red_name, red, nano=nano),
               "blue": scene.capture(blue_name, blue, nano=nano)}
        got = scene.run(PIPELINE, ins, {"out": "out.pcap"}, expect, ["--json"])
        equal(got.code, 0, f"exit with {red_name} and {blue_name}")
        equal(got.report["result"]["packets_in"], len(red) + len(blue), "packets in")


@case
def capture_of_a_big_endian_machine_is_read(scene):
    red, blue, expected, _ = packets()
    scene.replay(PIPELINE, {"red": scene.capture("red.pcap", red, order=">"),
                            "blue": scene.capture("blue.pcap", blue)}, {},
                 {"out": scene.capture("expect.pcap", expected)})


@case
def output_can_be_gzip(scene):
    red, blue, expected, _ = packets()
    got = scene.replay(PIPELINE, {"red": scene.capture("red.pcap", red),
                                  "blue": scene.capture("blue.pcap", blue)},
                       {"out": "out.pcap.gz"}, {"out": scene.capture("expect.pcap", expected)})
    equal(got.outs["out"].read_bytes()[:2], b"\x1f\x8b", "the first bytes of the file")
    equal(len(got.out("out")), len(expected), "packets in the file")


@case
def one_capture_feeds_several_ports(scene):
    red, blue, expected, _ = packets()
    mixed = scene.capture("mixed.pcap", list(heapq.merge(red, blue)))
    got = scene.replay(PIPELINE, {"red": mixed, "blue": mixed}, {},
                       {"out": scene.capture("expect.pcap", expected)})
    equal(got.drops()["no_feed"], len(red) + len(blue), "no_feed: each port's other half")


@case
def timestamps_that_run_backwards_are_clamped_and_counted(scene):
    red, blue, expected, _ = packets()
    jumped = [(time - 300_000_000 if number in (500, 501) else time, frame)
              for number, (time, frame) in enumerate(red)]
    got = scene.replay(PIPELINE, {"red": scene.capture("red.pcap", jumped),
                                  "blue": scene.capture("blue.pcap", blue)}, {},
                       {"out": scene.capture("expect.pcap", expected)})
    equal(got.report["result"]["clamped_timestamps"], 2, "clamped timestamps")
