# SPDX-License-Identifier: Apache-2.0
"""What replay refuses (exit 2, with a reason), and what it says of a difference (exit 1)."""
import harness
from harness import case, check, equal

import generate

PIPELINE = harness.ROOT / "pipelines" / "hitless.yaml"


def refused(got, *told):
    equal(got.code, 2, f"exit; {got.stderr}")
    for text in told:
        check(text in got.stderr, f"'{text}' is not in: {got.stderr}")
    check(len(got.stderr.strip().splitlines()) <= 3, f"too long to read: {got.stderr}")


def captures(scene):
    red, blue, expected, _ = generate.demonstration(600, 0.01, 3)
    return ({"red": scene.capture("red.pcap", red), "blue": scene.capture("blue.pcap", blue)},
            expected)


@case
def missing_capture_is_refused(scene):
    refused(scene.run(PIPELINE, {"red": scene.place / "none.pcap"}),
            "none.pcap: No such file or directory")


@case
def order_that_nobody_understands_is_refused(scene):
    ins, _ = captures(scene)
    for order, told in (("2s leg news1 A", "TIME leg STREAM LEG ACTION"),
                        ("2 leg news1 A forced", "unit"),
                        ("2s leg news7 A forced", "no stream 'news7'; this appliance has: news1"),
                        ("2s leg news1 C forced", "stream news1 has no leg 'C'; it has: A, B"),
                        ("2s leg news1 A loud", "there are: lockout, forced, manual, clear")):
        refused(scene.run(PIPELINE, ins, options=["--at", order]), told)


@case
def order_at_its_time_leaves_every_packet_accounted_for(scene):
    ins, _ = captures(scene)
    scene.replay(PIPELINE, ins, options=["--at", "100ms leg news1 A manual",
                                         "--at", "10ms leg news1 A clear"])


@case
def file_that_is_no_capture_is_refused(scene):
    for name, content in (("text", "schema: 1\n"), ("empty", ""), ("noise", bytes(range(256)) * 9)):
        refused(scene.run(PIPELINE, {"red": scene.file(name, content)}), f"{name}: not a capture")


@case
def capture_of_another_link_type_is_refused(scene):
    refused(scene.run(PIPELINE, {"red": scene.capture("cooked.pcap", [(1, bytes(60))],
                                                      link_type=113)}),
            "cooked.pcap: link type LINUX_SLL")


@case
def truncated_capture_is_refused_with_the_frame(scene):
    ins, _ = captures(scene)
    whole = ins["red"].read_bytes()
    refused(scene.run(PIPELINE, {"red": scene.file("torn.pcap", whole[:-100])}),
            "torn.pcap: frame ", "truncated")


@case
def unknown_port_is_refused_and_the_known_ones_named(scene):
    ins, _ = captures(scene)
    refused(scene.run(PIPELINE, {"green": ins["red"]}), "green", "red, blue, out")
    refused(scene.run(PIPELINE, ins, {"green": "out.pcap"}), "green")
    refused(scene.run(PIPELINE, ins, {}, {"green": ins["red"]}), "green")


@case
def capture_without_packets_is_an_error_not_a_success(scene):
    refused(scene.run(PIPELINE, {"red": scene.capture("none.pcap", []),
                                 "blue": scene.capture("none2.pcap", [])}), "no packet")


@case
def replay_without_any_capture_is_refused(scene):
    equal(scene.run(PIPELINE, {}).code, 2, "exit")


@case
def missing_or_wrong_pipeline_is_refused(scene):
    ins, _ = captures(scene)
    refused(scene.run(scene.place / "none.yaml", ins), "none.yaml")
    got = scene.run(scene.file("wrong.yaml", "schema: 1\nprots: {}\n"), ins)
    equal(got.code, 2, "exit")
    check("wrong.yaml:2:1: " in got.stderr and "prots" in got.stderr, got.stderr)


@case
def output_that_cannot_be_written_is_refused(scene):
    ins, _ = captures(scene)
    refused(scene.run(PIPELINE, ins, {"out": "no/such/place.pcap"}), "no/such/place.pcap")
    refused(scene.run(PIPELINE, ins, {"out": "/dev/full"}), "/dev/full", "No space left")


@case
def first_difference_is_shown_decoded(scene):
    ins, expected = captures(scene)
    time, frame = expected[99]
    changed = bytearray(frame)
    changed[22] = 15  # the TTL
    wrong = [*expected[:99], (time, bytes(changed)), *expected[100:]]
    got = scene.run(PIPELINE, ins, {}, {"out": scene.capture("wrong.pcap", wrong)})
    equal(got.code, 1, f"exit; {got.stderr}")
    for text in ("frame 100 differs at byte 22 (ip.ttl)", "ttl 15 RTP seq", "ttl 16 RTP seq",
                 "[0f]", "[10]"):
        check(text in got.stdout + got.stderr, f"'{text}' is not in: {got.stdout}{got.stderr}")


@case
def missing_and_extra_frames_are_differences(scene):
    ins, expected = captures(scene)
    more = [*expected, (expected[-1][0], expected[-1][1])]
    got = scene.run(PIPELINE, ins, {}, {"out": scene.capture("more.pcap", more)}, ["--json"])
    equal(got.code, 1, "exit")
    told = got.report["result"]["expected"]["out"]
    equal((told["kind"], told["frame"]), ("missing", len(more)), "difference")
    got = scene.run(PIPELINE, ins, {}, {"out": scene.capture("less.pcap", expected[:-1])},
                    ["--json"])
    equal(got.code, 1, "exit")
    told = got.report["result"]["expected"]["out"]
    equal((told["kind"], told["frame"]), ("extra", len(expected)), "difference")


@case
def times_differ_only_where_they_are_asked_for(scene):
    ins, expected = captures(scene)
    first = scene.replay(PIPELINE, ins, {"out": "out.pcap"})
    moved = [(time + (7 if n == 40 else 0), frame)
             for n, (time, frame) in enumerate(first.out("out"))]
    expect = {"out": scene.capture("moved.pcap", moved)}
    equal(scene.run(PIPELINE, ins, {}, expect).code, 0, "exit without --expect-times")
    got = scene.run(PIPELINE, ins, {}, expect, ["--expect-times"])
    equal(got.code, 1, "exit with --expect-times")
    check("frame 41 left 7 ns earlier than expected" in got.stdout + got.stderr, got.stdout)
