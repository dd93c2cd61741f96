# SPDX-License-Identifier: Apache-2.0
"""sequence: fingerprint: feeds without numbers, over two lossy paths that failover merges by their
payloads. What must come out is computed from what was sent and what arrived."""
import random
import struct

import harness
from harness import case, document, equal

import capture_file
import frames
import lossy_pair

A = lossy_pair.Leg("10.1.0.5", "239.1.0.1", 5000)
B = lossy_pair.Leg("10.2.0.5", "239.2.0.1", 5002)
LEGS = {"A": {"port": "red", "to": "239.1.0.1:5000"}, "B": {"port": "blue", "to": "239.2.0.1:5002"}}
MAIN = {"main": {"port": "out", "to": "239.9.0.1:5000", "source": "10.0.0.9"}}
STEP = 1_000_000  # ns between packets
NULL = struct.pack(">BHB", 0x47, 0x1FFF, 0x10) + b"\xff" * 184


def feed(count, seed, nulls=0.05):
    """Seven TS packets to a datagram and nothing before them; some are null packets only."""
    rng = random.Random(f"feed {seed}")
    return [7 * NULL if rng.random() < nulls else frames.ts_packets(rng, index)
            for index in range(count)]


def lossy(times, loss, name, seed, *, late_ns=0, dark=range(0), quiet=20):
    """{place: arrival}; the first and the last `quiet` always come."""
    rng = random.Random(f"{name} {seed}")
    lost = [rng.random() < loss for _ in times]
    count = len(times)
    return {place: time + late_ns for place, time in enumerate(times)
            if place not in dark and (place < quiet or place >= count - quiet or not lost[place])}


def capture(payloads, leg, came, ttl=8):
    return [(time, frames.datagram(payloads[place], leg.source, leg.group, leg.port,
                                   ip={"ttl": ttl, "ident": place & 0xFFFF}))
            for place, time in sorted(came.items(), key=lambda one: one[1])]


def merged(scene, payloads, came, *, failover=None, output=None):
    pipeline = document(LEGS, {"main": {**MAIN["main"], **(output or {})}}, failover=failover,
                        sequence="fingerprint")
    ins = {port: scene.capture(f"{port}.pcap", capture(payloads, leg, leg_came))
           for port, leg, leg_came in zip(("red", "blue"), (A, B), came)}
    return scene.replay(scene.pipeline(pipeline), ins, {"out": "out.pcap"})


def payload(frame):
    return frame[42:38 + int.from_bytes(frame[38:40], "big") - 4]


def judge(got, payloads, came):
    """Every datagram that arrived by any path left once, in order, and the counters say so."""
    arrived = [place for place in range(len(payloads)) if any(place in one for one in came)]
    sent = [payload(frame) for _, frame in got.out("out")]
    equal(len(sent), len(arrived), "packets out")
    wrong = [n for n, place in enumerate(arrived) if sent[n] != payloads[place]]
    equal(wrong, [], "datagrams out of place")
    stream, both = got.stream(), sum(len(one) for one in came) - len(arrived)
    equal(stream["forwarded"], len(arrived), "forwarded")
    equal(stream["redundant"], both, "redundant")
    equal(got.drops(), {"redundant": both} if both else {}, "drops")
    for name, one in zip("AB", came):
        begun = min(one)
        lost = sum(place not in one for place in arrived if place > begun)
        equal(got.leg(name)["lost"], lost, f"lost of leg {name}")
    return arrived


def times_of(count):
    return [lossy_pair.START + place * STEP for place in range(count)]


@case
def raw_ts_over_two_lossy_paths_comes_out_once_each_and_in_order(scene):
    for seed, loss, late_ns in ((1, 0.0, 0), (2, 0.001, 4_300_000), (3, 0.01, 9_999_000),
                                (4, 0.05, 700_000)):
        payloads = feed(3000, seed)
        came = [lossy(times_of(3000), loss, "red", seed),
                lossy(times_of(3000), loss, "blue", seed, late_ns=late_ns)]
        got = merged(scene, payloads, came)
        judge(got, payloads, came)
        equal(got.stream()["recovered"], sum(got.leg(leg)["lost"] for leg in "AB"), "recovered")
        harness.check(got.stream()["hold_max_ns"] <= 10_000_000, "held longer than max_skew")
        harness.judged_by_tshark(got.outs["out"])


@case
def leg_that_leads_dies_and_comes_back_without_a_loss(scene):
    payloads = feed(2000, 5)
    came = [lossy(times_of(2000), 0, "red", 5, dark=range(600, 1200)),
            lossy(times_of(2000), 0, "blue", 5, late_ns=6_000_000)]
    got = merged(scene, payloads, came)
    judge(got, payloads, came)
    equal(got.leg("A")["state_changes"], 3, "up, silent, up")


@case
def second_leg_that_comes_later_and_is_ahead_keeps_the_order(scene):
    payloads = feed(1500, 6)
    came = [lossy(times_of(1500), 0.01, "red", 6, late_ns=7_000_000),
            {place: time for place, time in lossy(times_of(1500), 0.01, "blue", 6).items()
             if place >= 500}]
    judge(merged(scene, payloads, came), payloads, came)


@case
def arrival_forwards_first_copies_at_once(scene):
    payloads = feed(3000, 7)
    came = [lossy(times_of(3000), 0.01, "red", 7),
            lossy(times_of(3000), 0.01, "blue", 7, late_ns=4_300_000)]
    got = merged(scene, payloads, came, failover={"release": "arrival"})
    first = sorted((min(one[place] for one in came if place in one), payloads[place])
                   for place in range(3000) if any(place in one for one in came))
    equal([(time, payload(frame)) for time, frame in got.out("out")], first, "what left, and when")


@case
def heartbeats_that_are_all_the_same_leave_once_each(scene):
    payloads = [b"alive"] * 400
    times = [lossy_pair.START + place * 50 * STEP for place in range(400)]
    for release in ("arrival", "ordered"):
        came = [lossy(times, 0.1, "red", 8), lossy(times, 0.1, "blue", 8, late_ns=3_000_000)]
        got = merged(scene, payloads, came, failover={"release": release})
        judge(got, payloads, came)


@case
def outputs_take_the_received_ttl_less_one_unless_told_otherwise(scene):
    payloads = feed(100, 9)
    came = [lossy(times_of(100), 0, "red", 9), lossy(times_of(100), 0, "blue", 9)]
    equal({frame[22] for _, frame in merged(scene, payloads, came).out("out")}, {7}, "TTL")
    got = merged(scene, payloads, came, output={"ttl": 16})
    equal({frame[22] for _, frame in got.out("out")}, {16}, "TTL")


def unnumbered(name, vlan=0):
    """(times, payloads) of a real RTP capture, less what numbers its packets."""
    path = harness.REAL_CAPTURES / name
    if not path.is_file():
        raise harness.Skipped(f"{path} is not here")
    packets = capture_file.read_pcap(path)
    bodies = [frame[42 + vlan:38 + vlan + int.from_bytes(frame[38 + vlan:40 + vlan], "big") - 4]
              for _, frame in packets]
    return [time for time, _ in packets], [body[12:] for body in bodies]


@case
def real_feeds_without_their_numbers_come_out_whole(scene):
    for name, vlan in (("iptv/tsduck-162-vlan-rtp-ts.pcap", 4),
                       ("st2110/l16_48000_2ch_1ms.pcap", 0),
                       ("st2110/l24_48000_8ch_0125.pcap", 0)):
        times, payloads = unnumbered(name, vlan)
        quiet = min(20, len(times) // 4)
        came = [lossy(times, 0.01, "red", 10, quiet=quiet),
                lossy(times, 0.01, "blue", 10, late_ns=3_000_000, quiet=quiet)]
        got = merged(scene, payloads, came)
        arrived = [place for place in range(len(times)) if any(place in one for one in came)]
        equal([payload(frame) for _, frame in got.out("out")],
              [payloads[place] for place in arrived], f"{name}: payloads out")
