# SPDX-License-Identifier: Apache-2.0
"""--capture-stages: what flows between the stages, as tshark reads it, against the captures that
went in and came out."""
import collections

import harness
import lossy_pair
from harness import case, check, equal
from stream_cases import A, B, LEGS, MAIN, STEP, at, packet, steady


def replayed(scene, red, blue, *, outputs=None, name="stages.pcapng"):
    pipeline = scene.pipeline(harness.document(LEGS, outputs or {"main": MAIN}))
    ins = {"red": scene.capture("red.pcap", sorted(red)),
           "blue": scene.capture("blue.pcap", sorted(blue))}
    path = scene.place / name
    options = ["--capture-stages", path]
    return scene.replay(pipeline, ins, {"out": "out.pcap"}, options=options), path


def seen(path, *more):
    names = ["frame.interface_name", "frame.interface_description", *more]
    return harness.fields(path, names)


@case
def every_packet_is_captured_at_each_stage_that_it_passes(scene):
    blue = steady(B, late_ns=STEP // 2, without={50})
    got, path = replayed(scene, steady(A, without={40}), blue)
    counts = collections.Counter(seen(path))
    equal(counts, {("rx", "port red"): 299, ("rx", "port blue"): 299,
                   ("classify", "stream s"): 598, ("failover", "stream s"): 300,
                   ("restamp", "stream s"): 300, ("drops", "stream s"): 298,
                   ("transmit", "port out"): 300}, "packets by interface")
    equal(got.drops(), {"redundant": 298}, "drops")


@case
def captured_bytes_and_times_are_those_of_the_captures_in_and_out(scene):
    red, blue = steady(A, without={7, 8}), steady(B, late_ns=STEP // 3, without={8})
    got, path = replayed(scene, red, blue)
    rows = seen(path, "frame.time_epoch", "udp.payload", "ip.dst")
    for where, packets, group in ((("rx", "port red"), red, A.group),
                                  (("rx", "port blue"), blue, B.group),
                                  (("transmit", "port out"), got.out("out"), "239.9.0.1")):
        mine = [row[2:] for row in rows if row[:2] == where]
        equal(mine, [(f"{time // 10**9}.{time % 10**9:09}", frame[42:].hex(), group)
                     for time, frame in packets], where)


@case
def each_dropped_packet_bears_its_reason(scene):
    stranger = packet(lossy_pair.Leg("10.2.0.5", "239.7.7.7", 5002), 1)
    red = steady(A) + [(at(9, late_ns=5), packet(A, 9)), (at(20, late_ns=5), b"\x01" * 10)]
    got, path = replayed(scene, red, steady(B, late_ns=STEP // 2) + [(at(30, late_ns=9), stranger)])
    told = collections.Counter((row[1], row[2]) for row in seen(path, "frame.comment")
                               if row[0] == "drops")
    equal(told, {("stream s", "redundant"): 300, ("stream s", "duplicate_same_leg"): 1,
                 ("port red", "runt"): 1, ("port blue", "no_feed"): 1}, "drops by reason")
    equal(sum(told.values()), sum(got.drops().values()), "all drops")


@case
def each_output_of_a_packet_is_captured(scene):
    outputs = {"main": MAIN, "second": {**MAIN, "to": "239.9.0.2:5000", "vlan": 7}}
    got, path = replayed(scene, steady(A), steady(B), outputs=outputs)
    rows = [row[2:] for row in seen(path, "vlan.id", "ip.dst") if row[0] == "transmit"]
    equal(collections.Counter(rows), {("", "239.9.0.1"): 300, ("7", "239.9.0.2"): 300}, "outputs")
    equal(len(rows), len(got.out("out")), "sent")


@case
def captured_stages_are_the_same_bytes_every_time_and_change_no_output(scene):
    red, blue = steady(A, without={40}), steady(B, late_ns=STEP // 2, without={50})
    one, first = replayed(scene, red, blue, name="one.pcapng")
    sent = one.outs["out"].read_bytes()
    two, second = replayed(scene, red, blue, name="two.pcapng")
    check(first.read_bytes() == second.read_bytes(), "two replays captured different bytes")
    bare = scene.replay(scene.place / "pipeline.yaml",
                        {port: scene.place / f"{port}.pcap" for port in ("red", "blue")},
                        {"out": "bare.pcap"})
    check(bare.outs["out"].read_bytes() == sent, "the capture changed what was sent")
    equal(bare.report["streams"], two.report["streams"], "counters")


@case
def capture_over_another_file_is_refused(scene):
    pipeline = scene.pipeline(harness.document(LEGS, {"main": MAIN}))
    red = scene.capture("red.pcap", steady(A, 3))
    got = scene.run(pipeline, {"red": red}, options=["--capture-stages", red])
    equal(got.code, 2, "exit")
    check("another option names this file" in got.stderr, got.stderr)
    equal(len(harness.capture_file.read_pcap(red)), 3, "packets still in the capture")
