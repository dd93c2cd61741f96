# SPDX-License-Identifier: Apache-2.0
"""--events: what the merge tells of gaps, epochs and legs, against what the captures hold."""
import datetime
import json

import capture_file
import harness
from harness import case, check, document, equal

import generate
import market_pair
from message_cases import A, B, LEGS, MAIN, mold_messages, udp_payload
from stream_cases import at, packet, steady

HITLESS = harness.ROOT / "pipelines" / "hitless.yaml"
SSRC = 0x01020304


def events_of(scene, pipeline, ins, options=()):
    """(outcome, [event]) of a replay; each line is an object of its own."""
    path = scene.place / "events.jsonl"
    got = scene.replay(pipeline, ins, {}, {}, ["--events", path, *options])
    return got, [json.loads(line) for line in path.read_text().splitlines()]


def positions(events):
    """Every position of every gap, in the order in which they were told."""
    return [place for event in events if event["event"] == "gap"
            for place in range(event["from"], event["to"] + 1)]


def two_legs(scene, red, blue, **how):
    ins = {"red": scene.capture("red.pcap", sorted(red)),
           "blue": scene.capture("blue.pcap", sorted(blue))}
    return events_of(scene, scene.pipeline(document(LEGS, {"main": MAIN}, **how)), ins)


def unwrapped(numbers, first):
    """16-bit numbers as they go on from `first`, each within half a turn of the one before."""
    last, out = first, []
    for number in numbers:
        last += (number - last + 0x8000) % 0x10000 - 0x8000
        out.append(last)
    return out


@case
def gap_events_are_the_positions_that_both_captures_lack(scene):
    for seed, loss in ((7, 0.01), (8, 0.05), (4, 0.2)):
        red, blue, _, lost = generate.demonstration(2000, loss, seed)
        ins = {"red": scene.capture("red.pcap", red), "blue": scene.capture("blue.pcap", blue)}
        got, events = events_of(scene, HITLESS, ins)
        first = harness.rtp_numbers(red[:1] + blue[:1])
        came = {place for leg in (red, blue)
                for place in unwrapped(harness.rtp_numbers(leg), min(first))}
        lacking = [place for place in range(min(came), max(came) + 1) if place not in came]
        check(len(lacking) > 2, "a seed that loses nothing proves nothing")
        equal(positions(events), lacking, f"positions of the gaps, seed {seed}")
        equal(got.stream("news1")["unrecovered"], len(lacking), "unrecovered")
        gaps = [event for event in events if event["event"] == "gap"]
        equal(len(gaps), got.stream("news1")["gaps"], "gaps")
        equal({(gap["stream"], gap["epoch"]) for gap in gaps}, {("news1", SSRC)}, "of the stream")


@case
def events_carry_the_time_of_the_capture(scene):
    red, blue, _, _ = generate.demonstration(1000, 0.05, 3)
    ins = {"red": scene.capture("red.pcap", red), "blue": scene.capture("blue.pcap", blue)}
    _, events = events_of(scene, HITLESS, ins)
    times = [event["at"] for event in events]
    equal(times, sorted(times), "order of the events")

    def nanoseconds(text):
        whole, fraction = text.rstrip("Z").split(".")
        when = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
        return int(when.timestamp()) * 10**9 + int(fraction)
    begin, end = min(red[0][0], blue[0][0]), max(red[-1][0], blue[-1][0])
    check(begin <= nanoseconds(times[0]) <= nanoseconds(times[-1]) <= end + 20_000_000,
          f"events from {times[0]} to {times[-1]}, packets from {begin} to {end}")


@case
def gap_names_the_legs_that_were_up(scene):
    """Leg B is away from 200 to 600; A lacks a packet then, and both lack one before and after."""
    away = set(range(200, 600))
    _, events = two_legs(scene, steady(A, 1000, without={100, 400, 900}),
                         steady(B, 1000, late_ns=100, without=away | {100, 900}))
    told = [(event["event"], event.get("from"), event.get("legs"), event.get("leg"))
            for event in events]
    equal(told, [("leg_up", None, None, "A"), ("leg_up", None, None, "B"),
                 ("gap", 100, ["A", "B"], None), ("leg_silent", None, None, "B"),
                 ("gap", 400, ["A"], None), ("leg_up", None, None, "B"),
                 ("gap", 900, ["A", "B"], None)], "events")


@case
def whole_stream_has_no_gap_to_tell_of(scene):
    _, events = two_legs(scene, steady(A, 500, without={9}), steady(B, 500, late_ns=100))
    equal([event["event"] for event in events], ["leg_up", "leg_up"], "events")


@case
def restart_is_told_with_its_new_epoch(scene):
    new = {leg: [(at(300 + n, late_ns=late), packet(leg, 40000 + n, ssrc=0x0A0B0C0D))
                 for n in range(200)] for leg, late in ((A, 0), (B, 100))}
    _, events = two_legs(scene, steady(A, 300) + new[A], steady(B, 300, late_ns=100) + new[B])
    equal([event["epoch"] for event in events if event["event"] == "epoch_change"],
          [0x0A0B0C0D], "new epochs")


@case
def gaps_of_messages_are_told_by_message(scene):
    feed = market_pair.Feed(4000, first=1 << 40)
    came, ins = set(), {}
    for port, leg, packing in (("red", A, market_pair.Packing(4, loss=0.05)),
                               ("blue", B, market_pair.Packing(10, loss=0.05, skew_ns=2_000_000))):
        packets, _ = market_pair.leg_packets(feed, leg, packing, port)
        ins[port] = scene.capture(f"{port}.pcap", packets)
        for _, frame in capture_file.read_pcap(ins[port]):
            number, messages = mold_messages(udp_payload(frame))
            came |= set(range(number, number + len(messages)))
    pipeline = scene.pipeline(document(LEGS, {"main": MAIN}, sequence="moldudp64",
                                       failover={"max_rate": "100kpps"}))
    _, events = events_of(scene, pipeline, ins)
    lacking = [n for n in range(feed.first, feed.first + feed.messages) if n not in came]
    check(lacking, "nothing was lost on both legs")
    equal(positions(events), lacking, "messages of the gaps")


@case
def losses_that_meet_are_held_against_chance(scene):
    """Every fiftieth is lost by A alone, every seventieth by B, and ten in a row by both."""
    lost_a = set(range(50, 2000, 50)) | set(range(1001, 1011))
    lost_b = set(range(70, 2000, 70)) | set(range(1001, 1011))
    got, events = two_legs(scene, steady(A, 2000, without=lost_a),
                           steady(B, 2000, late_ns=100, without=lost_b))
    both, told = lost_a & lost_b, got.stream()["correlated_loss"]
    equal(positions(events), sorted(both), "positions of the gaps")
    equal(told["unrecovered"], len(both), "lost together")
    equal(round(told["by_chance"], 9), round(len(lost_a) * len(lost_b) / 2000, 9), "by chance")
    equal(round(told["ratio"], 6), round(len(both) / told["by_chance"], 6), "ratio")


@case
def skew_of_a_leg_is_told_by_bucket(scene):
    """B is 3 ms behind, in its second half 7 ms; each 64th position is measured, not the first."""
    late = [(at(n, late_ns=3_000_000 if n < 640 else 7_000_000), packet(B, n))
            for n in range(1280)]
    got, _ = two_legs(scene, steady(A, 1280), late)
    told = {leg: got.leg(leg)["skew_histogram"] for leg in "AB"}
    equal([(bucket["from_ns"], bucket["count"]) for bucket in told["A"]], [(0, 19)], "of leg A")
    equal([bucket["count"] for bucket in told["B"]], [9, 10], "of leg B")
    for bucket, skew in zip(told["B"], (3_000_000, 7_000_000)):
        check(bucket["from_ns"] <= skew < bucket["below_ns"], f"{skew} is not in {bucket}")


@case
def events_are_not_written_over_a_capture(scene):
    ins = {"red": scene.capture("red.pcap", steady(A, 10))}
    pipeline = scene.pipeline(document(LEGS, {"main": MAIN}))
    before = ins["red"].read_bytes()
    for outs in ({}, {"out": "out.pcap"}):
        name = scene.place / (outs.get("out") or "red.pcap")
        got = scene.run(pipeline, ins, outs, {}, ["--events", name])
        equal(got.code, 2, "exit")
        check("another option names this file" in got.stderr, got.stderr)
    equal(ins["red"].read_bytes(), before, "the capture")
    got = scene.run(pipeline, ins, {}, {}, ["--events", scene.place / "none" / "events"])
    equal(got.code, 2, "exit")
    check("cannot be written" in got.stderr, got.stderr)
