# SPDX-License-Identifier: Apache-2.0
"""Which copy leaves: a leg is preferred, or verdicts tell good copies from bad ones."""
import itertools
import random
import struct

import harness
from harness import case, check, document, equal

import frames

LEGS = {"A": {"port": "red", "to": "239.1.0.1:5000"}, "B": {"port": "blue", "to": "239.2.0.1:5002"}}
OUTPUTS = {"main": {"port": "out", "to": "239.9.0.1:5000", "source": "10.0.0.9"}}
INTERVAL = 100_000  # ns
START = 1_700_000_000_000_000_000
SKEW = 3_000_000


def rtp_frame(leg, number, payload, **how):
    group, source, port = (("239.1.0.1", "10.1.0.5", 5000), ("239.2.0.1", "10.2.0.5", 5002))[leg]
    packet = frames.rtp(payload, number & 0xFFFF, timestamp=number * 9)
    return frames.datagram(packet, source, group, port, **how)


def ts(number, rng, error=False, jump=0):
    """Seven TS packets of one PID whose counter goes on from datagram to datagram."""
    made = b""
    for i in range(7):
        head = 0x47010010 | (7 * number + i + jump) & 15 | (0x00800000 if error and i == 4 else 0)
        made += struct.pack(">I", head) + rng.randbytes(184)
    return made


def numbers(capture):
    return [struct.unpack_from(">H", frame, 44)[0] for _, frame in capture]


def payloads(capture):
    return {number: frame[54:] for number, (_, frame) in zip(numbers(capture), capture)}


def pair(scene, count, loses, payload, skews=(0, SKEW), **how):
    """Captures of both legs: `loses(leg, n)` says which packets are not there."""
    ins = {}
    for leg, port in ((0, "red"), (1, "blue")):
        ins[port] = scene.capture(f"{port}.pcap", [
            (START + n * INTERVAL + skews[leg], rtp_frame(leg, n, payload(leg, n), **how))
            for n in range(count) if not loses(leg, n)])
    return ins


@case
def secondary_leaves_only_where_the_preferred_leg_lost(scene):
    """Failover test 15, with each leg ahead of the other."""
    for skews in ((0, SKEW), (SKEW, 0)):
        lost = [set(random.Random(leg).sample(range(50, 3900), 60)) for leg in (0, 1)]
        ins = pair(scene, 4000, lambda leg, n: n in lost[leg],
                   lambda leg, n: bytes([65 + leg]) * 200, skews)
        pipeline = scene.pipeline(document(LEGS, OUTPUTS, failover={
            "selection": "prefer", "order": ["B", "A"]}))
        got = scene.replay(pipeline, ins, {"out": "out.pcap"})
        out = got.out("out")
        equal(numbers(out), [n for n in range(4000) if n not in lost[0] & lost[1]], "what left")
        equal({n for n, text in payloads(out).items() if text[:1] == b"A"}, lost[1] - lost[0],
              "what left from the secondary")
        equal(got.leg("A")["selected"], len(lost[1] - lost[0]), "its share")
        equal(got.stream()["switches"], 0, "switches")


@case
def transport_errors_and_counter_jumps_do_not_leave(scene):
    """Failover test 11: the other leg's copy is chosen; tshark sees no discontinuity."""
    bad = {n: random.Random(n).choice(["error", "jump"]) for n in range(20, 1980, 7)}
    whole = {n: ts(n, random.Random(n)) for n in range(2000)}

    def payload(leg, n):
        if leg == 1 or n not in bad:
            return whole[n]
        return ts(n, random.Random(n), error=bad[n] == "error", jump=3 if bad[n] == "jump" else 0)

    made = document(LEGS, OUTPUTS)
    made["streams"]["s"]["verify"] = {"mpeg_ts": True, "payload_type": 33}
    for release, skews in itertools.product(("ordered", "playout"), ((0, SKEW), (SKEW, 0))):
        made["streams"]["s"]["failover"]["release"] = release
        ins = pair(scene, 2000, lambda leg, n: False, payload, skews)
        got = scene.replay(scene.pipeline(made), ins, {"out": "out.pcap"})
        equal(payloads(got.out("out")), whole, "what left")
        # A counter that jumped is out of step with the datagram behind it as well.
        jumps = sum(kind == "jump" for kind in bad.values())
        equal(got.leg("A")["ts_transport_errors"], len(bad) - jumps, "transport errors")
        equal(got.leg("A")["ts_continuity_errors"], 2 * jumps, "jumps")
        equal(got.leg("B")["degraded"], 0, "of the good leg")
        errors = harness.fields(got.outs["out"], ["mp2t.cc.drop"],
                                filters="mp2t.cc.drop || mp2t.tei == 1",
                                decode=["rtp.pt==33,mp2t", "udp.port==5000,rtp"])
        equal(errors, [], "faults that tshark sees")


@case
def corrupt_packets_come_from_the_other_leg(scene):
    """Failover test 10."""
    broken = [set(random.Random(7 + leg).sample(range(50, 1900), 100)) for leg in (0, 1)]
    whole = {n: random.Random(n).randbytes(300) for n in range(2000)}

    def frame(leg, n):
        made = bytearray(rtp_frame(leg, n, whole[n]))
        if n in broken[leg]:
            made[60 + n % 200] ^= 1 << n % 8
        return bytes(made)

    ins = {port: scene.capture(f"{port}.pcap", [
        (START + n * INTERVAL + leg * SKEW, frame(leg, n)) for n in range(2000)])
        for leg, port in ((0, "red"), (1, "blue"))}
    both = broken[0] & broken[1]
    check(both, "a position is corrupt on both legs")
    verify = {"verify": {"udp_checksum": True}}
    for policy in ("drop", "use_if_only"):
        pipeline = scene.pipeline(document(LEGS, OUTPUTS, ports={"red": verify, "blue": verify},
                                           failover={"corrupt": policy}))
        got = scene.replay(pipeline, ins, {"out": "out.pcap"})
        out = payloads(got.out("out"))
        kept = set(whole) - both if policy == "drop" else set(whole)
        equal(set(out), kept, f"positions with {policy}")
        equal({n for n in out if out[n] != whole[n]}, set() if policy == "drop" else both,
              "corrupt ones that left")
        equal(got.stream()["degraded"], 0 if policy == "drop" else len(both), "told")
        harness.judged_by_tshark(got.outs["out"])


@case
def contents_that_differ_are_told(scene):
    """Failover test 10 without checksums, case 31: the first copy leaves, and it is told."""
    ins = pair(scene, 4000, lambda leg, n: False,
               lambda leg, n: bytes([65 + (leg if n >= 2000 else 0)]) * 200,
               udp_fields={"checksum": 0})
    made = document(LEGS, OUTPUTS)
    made["streams"]["s"]["verify"] = {"content_check": 64}
    got = scene.replay(scene.pipeline(made), ins, {"out": "out.pcap"})
    equal(len(got.out("out")), 4000, "what left")
    check(30 <= got.leg("B")["content_mismatch"] <= 32, "differences of 2000 / 64 compared:",
          got.leg("B")["content_mismatch"])


@case
def flapping_leg_is_left_once(scene):
    """Failover test 15, case 33: ten flaps a second for a minute, one switch, nothing lost."""
    count, slow = 30000, 2_000_000  # 500 packets a second

    def there(leg, n):
        return leg == 1 or n % 50 < 20 or n < 100

    ins = {port: scene.capture(f"{port}.pcap", [
        (START + n * slow, rtp_frame(leg, n, bytes([65 + leg]) * 64))
        for n in range(count) if there(leg, n)]) for leg, port in ((0, "red"), (1, "blue"))}
    pipeline = scene.pipeline(document(LEGS, OUTPUTS, failover={
        "selection": "prefer", "switching": {"wait_to_restore": "5s"}}))
    got = scene.replay(pipeline, ins, {"out": "out.pcap"})
    equal([n & 0xFFFF for n in range(count)], numbers(got.out("out")), "what left")
    check(got.stream()["switches"] <= 1, "switches:", got.stream()["switches"])
