# SPDX-License-Identifier: Apache-2.0
"""What failover and replicate drop, each by its own name: `redundant` is in every other case."""
import harness
from harness import case, document, equal

import frames
import lossy_pair

A = lossy_pair.Leg("10.1.0.5", "239.1.0.1", 5000)
B = lossy_pair.Leg("10.2.0.5", "239.2.0.1", 5002)
OUT = lossy_pair.Output("239.9.0.1", 5000, "10.0.0.9", "02:00:00:00:00:03")
LEGS = {"A": {"port": "red", "to": "239.1.0.1:5000"}, "B": {"port": "blue", "to": "239.2.0.1:5002"}}
MAIN = {"port": "out", "to": "239.9.0.1:5000", "source": "10.0.0.9"}
STEP = 1_000_000  # ns between packets


def packet(leg, number, *, ssrc=0x01020304, payload=b"payload"):
    body = frames.rtp(payload, number, 90 * number, ssrc)
    return frames.datagram(body, leg.source, leg.group, leg.port, ip={"ttl": 8})


def at(place, *, late_ns=0):
    return lossy_pair.START + place * STEP + late_ns


def steady(leg, count=300, *, late_ns=0, without=()):
    return [(at(n, late_ns=late_ns), packet(leg, n)) for n in range(count) if n not in without]


def replayed(scene, red, blue, *, output=None, legs=None, failover=None):
    pipeline = scene.pipeline(document(legs or LEGS, {"main": {**MAIN, **(output or {})}},
                                       failover=failover))
    ins = {"red": scene.capture("red.pcap", sorted(red))}
    if blue is not None:
        ins["blue"] = scene.capture("blue.pcap", sorted(blue))
    return scene.replay(pipeline, ins, {"out": "out.pcap"})


@case
def copy_from_the_same_leg_is_a_duplicate_of_its_own_kind(scene):
    red = steady(A) + [(at(n, late_ns=STEP // 4), packet(A, n)) for n in (100, 150)]
    got = replayed(scene, red, steady(B, late_ns=STEP // 2))
    equal(got.drops(), {"redundant": 300, "duplicate_same_leg": 2}, "drops")
    equal(got.leg("A")["duplicate_same_leg"], 2, "duplicate_same_leg of A")
    equal(harness.rtp_numbers(got.out("out")), list(range(300)), "numbers out")


@case
def packet_that_comes_after_its_gap_was_closed_is_late_after_release(scene):
    red = steady(A, without={100}) + [(at(140), packet(A, 100))]
    got = replayed(scene, red, steady(B, without={100}))
    equal(got.drops(), {"redundant": 299, "late_after_release": 1}, "drops")
    equal(got.leg("A")["late_after_release"], 1, "late_after_release of A")
    equal(got.stream()["unrecovered"], 1, "unrecovered")


@case
def packet_older_than_the_window_is_late(scene):
    red = steady(A, 3000) + [(at(2500, late_ns=7), packet(A, 20))]
    got = replayed(scene, red, steady(B, 3000))
    told = got.drops()
    equal(told.pop("redundant"), 3000, "redundant")
    equal(sum(told.values()), 1, f"one packet, by one name: {told}")
    harness.check(set(told) <= {"late", "wild_sequence"}, told)
    equal(harness.rtp_numbers(got.out("out")), list(range(3000)), "numbers out")


@case
def far_off_number_is_wild_and_poisons_nothing(scene):
    red = steady(A) + [(at(150, late_ns=9), packet(A, 30000))]
    got = replayed(scene, red, steady(B))
    equal(got.drops(), {"redundant": 300, "wild_sequence": 1}, "drops")
    equal(got.stream()["unrecovered"], 0, "unrecovered")
    equal(harness.rtp_numbers(got.out("out")), list(range(300)), "numbers out")


@case
def forged_packets_ahead_of_the_stream_displace_nothing(scene):
    for leg in "AB":
        forged = [(at(n, late_ns=1000 * n), packet(A if leg == "A" else B, n + 2 + n % 80,
                                                   payload=b"forgery"))
                  for n in range(50, 250)]
        red, blue = steady(A), steady(B, late_ns=STEP // 2)
        got = replayed(scene, red + forged * (leg == "A"), blue + forged * (leg == "B"))
        equal(harness.rtp_numbers(got.out("out")), list(range(300)), "numbers out")
        out = [frame[54:61] for _, frame in got.out("out")]
        equal(set(out), {b"payload"}, "payloads out")
        equal(got.stream()["unrecovered"], 0, "unrecovered")
        told = got.drops()
        equal(told.pop("redundant"), 300, "redundant")
        equal(sum(told.values()), len(forged), f"each forgery by a name: {told}")
        equal(set(told), {"wild_sequence", "duplicate_same_leg"}, "names")


@case
def stray_packet_of_another_source_is_of_another_epoch(scene):
    red = steady(A) + [(at(150, late_ns=9), packet(A, 150, ssrc=0xBAD))]
    got = replayed(scene, red, steady(B))
    told = got.drops()
    equal(told.pop("redundant"), 300, "redundant")
    equal(told, {"other_epoch": 1}, "drops")
    equal(harness.rtp_numbers(got.out("out")), list(range(300)), "numbers out")


@case
def what_is_no_rtp_is_malformed(scene):
    strange = [b"", b"G" + bytes(187), b"\x80\x21\0\1", b"\x8f" + bytes(20), b"\x40" + bytes(20)]
    red = steady(A) + [(at(10 * n, late_ns=9), frames.datagram(body, A.source, A.group, A.port))
                       for n, body in enumerate(strange)]
    got = replayed(scene, red, steady(B))
    equal(got.drops(), {"redundant": 300, "malformed": len(strange)}, "drops")
    equal(got.leg("A")["malformed"], len(strange), "malformed of A")


@case
def packet_over_the_mtu_of_the_output_is_dropped_there(scene):
    red = steady(A) + [(at(300), packet(A, 300, payload=bytes(1500 - 28 - 12 - 4))),
                       (at(301), packet(A, 301, payload=bytes(1500 - 28 - 12 - 5)))]
    legs = {"A": LEGS["A"]}
    pipeline = scene.pipeline(document(legs, {"main": MAIN}, ports={"out": {"mtu": 1495}}))
    got = scene.replay(pipeline, {"red": scene.capture("red.pcap", red)}, {"out": "out.pcap"})
    equal(got.drops(), {"mtu": 1}, "drops")
    equal(got.stream()["outputs"][0]["drops"], 1, "drops of the output")
    equal(harness.rtp_numbers(got.out("out")), [*range(300), 301], "numbers out")


@case
def ttl_that_decrements_to_zero_ends_there(scene):
    red = [(at(n), frames.datagram(frames.rtp(b"x", n), A.source, A.group, A.port,
                                   ip={"ttl": 1 if n == 50 else 9})) for n in range(100)]
    got = replayed(scene, red, None, output={"ttl": "decrement"}, legs={"A": LEGS["A"]})
    equal(got.drops(), {"ttl_expired": 1}, "drops")
    equal({frame[22] for _, frame in got.out("out")}, {8}, "TTL that leaves")
    harness.judged_by_tshark(got.outs["out"])


@case
def restart_of_the_source_goes_on_in_the_new_epoch(scene):
    def both(leg, late_ns):
        old = [(at(n, late_ns=late_ns), packet(leg, n)) for n in range(200)]
        new = [(at(200 + n, late_ns=late_ns), packet(leg, 40000 + n, ssrc=0x0A0B0C0D))
               for n in range(200)]
        return old + new
    got = replayed(scene, both(A, 0), both(B, STEP // 2))
    numbers = harness.rtp_numbers(got.out("out"))
    equal(numbers, [*range(200), *range(40000, 40200)], "numbers out")
    equal(got.stream()["restarts"], 1, "restarts")
    equal(got.stream()["epoch"], 0x0A0B0C0D, "epoch")
    equal(got.drops(), {"redundant": 400}, "drops")
