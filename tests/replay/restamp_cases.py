# SPDX-License-Identifier: Apache-2.0
"""restamp: one RTP numbering over restarts of the source, headers put on and taken off."""
import random
import re
import shutil
import subprocess

import capture_file
import harness
from harness import Skipped, case, check, document, equal, fields

import frames
import lossy_pair
from message_cases import udp_payload
from stream_cases import A, B, LEGS, MAIN, at

STEP = 1_000_000  # ns between packets
TICKS = 90        # of 90 kHz, in one step
OWN = 0xCA57CA57


def rtp_streams(path):
    """tshark's table of RTP streams: rows of (SSRC, packets, lost, largest jitter, problems)."""
    if not shutil.which("tshark"):
        raise Skipped("tshark is not installed")
    run = subprocess.run(["tshark", "-n", "-r", str(path), "-d", "udp.port==5000,rtp", "-q", "-z",
                          "rtp,streams"], capture_output=True, text=True, check=True, timeout=100)
    row = r"(0x[0-9A-F]{8})\s+\S.*?\s(\d+)\s+(-?\d+) \(\S+%\)\s+((?:[\d.]+\s+)+)(X?)\s*$"
    rows = re.findall(row, run.stdout, re.MULTILINE)
    check(rows, run.stdout)
    return [(int(ssrc, 16), int(packets), int(lost), float(numbers.split()[5]), bool(problem))
            for ssrc, packets, lost, numbers, problem in rows]


def body(place):
    return random.Random(place).randbytes(188)


# SSRC, first sequence number and first timestamp of each of the source's lives; in the fourth it
# only begins to count anew.
LIVES = [(1, 65_500, 4_294_960_000), (2, 40_000, 77), (3, 65_535, 4_294_967_295), (3, 100, 5)]
EACH = 200


def leg_of_lives(leg, late_ns, without=(), pause_ns=0):
    """The source's lives as a leg brings them; between two of them nothing for `pause_ns`."""
    packets = []
    for life, (ssrc, sequence, timestamp) in enumerate(LIVES):
        for n in range(EACH):
            place = life * EACH + n
            if place in without:
                continue
            payload = frames.rtp(body(place), sequence + n, timestamp + n * TICKS, ssrc)
            packets.append((at(place, late_ns=late_ns + life * pause_ns),
                            frames.datagram(payload, leg.source, leg.group, leg.port)))
    return packets


def replayed(scene, red, blue, *, failover=None, restamp=None, sequence="rtp", outs="out.pcap"):
    made = document(LEGS if blue else {"A": LEGS["A"]}, {"main": MAIN}, failover=failover,
                    sequence=sequence)
    if restamp:
        made["streams"]["s"]["restamp"] = restamp
    ins = {"red": scene.capture("red.pcap", red)}
    if blue:
        ins["blue"] = scene.capture("blue.pcap", blue)
    return scene.replay(scene.pipeline(made), ins, {"out": outs})


@case
def restarts_are_one_rtp_stream_to_tshark_and_several_without_splice(scene):
    legs = leg_of_lives(A, 0, range(7, 800, 31)), leg_of_lives(B, STEP // 2, range(22, 800, 31))
    for release in ("ordered", "arrival", "playout"):
        got = replayed(scene, *legs, failover={"continuity": "splice", "release": release},
                       restamp={"ssrc": OWN})
        equal(got.stream()["unrecovered"], 0, "unrecovered")
        (ssrc, packets, lost, jitter, problem), = rtp_streams(got.outs["out"])
        equal((ssrc, packets, lost, problem), (OWN, len(LIVES) * EACH, 0, False), release)
        check(jitter < 3, f"jitter of {jitter} ms: the timestamps do not follow the time")
        harness.judged_by_tshark(got.outs["out"])
        bodies = [udp_payload(frame)[12:] for _, frame in got.out("out")]
        equal(sorted(bodies), sorted(body(n) for n in range(len(bodies))), "what was carried")
    kept = replayed(scene, *legs, failover={"continuity": "preserve"})
    seen = rtp_streams(kept.outs["out"])
    check(len(seen) == 3 and any(lost for _, _, lost, _, _ in seen), "preserve:", seen)


@case
def spliced_numbers_and_timestamps_go_on_over_a_pause(scene):
    pause = 400 * STEP
    got = replayed(scene, leg_of_lives(A, 0, pause_ns=pause), None,
                   failover={"continuity": "splice"}, restamp={"ssrc": OWN})
    told = fields(got.outs["out"], ["rtp.seq", "rtp.timestamp", "rtp.ssrc"],
                  decode=["udp.port==5000,rtp"])
    wanted = [(str((65_500 + n) % 65_536),
               str((4_294_960_000 + n * TICKS + n // EACH * 400 * TICKS) % 2**32), "0xca57ca57")
              for n in range(len(LIVES) * EACH)]
    equal(len(told), len(wanted), "packets")
    for place, (one, other) in enumerate(zip(told, wanted)):
        equal(one, other, f"packet {place}")


@case
def what_both_legs_lost_stays_a_hole_after_a_splice(scene):
    lost = {250, 251, 399, 400, 640}  # at the end and at the beginning of a life as well
    got = replayed(scene, leg_of_lives(A, 0, lost), leg_of_lives(B, STEP // 2, lost),
                   failover={"continuity": "splice"})
    numbers = [int(one) for one, in fields(got.outs["out"], ["rtp.seq"],
                                           decode=["udp.port==5000,rtp"])]
    steps = [(after - before) % 65_536 for before, after in zip(numbers, numbers[1:])]
    equal(len(numbers), len(LIVES) * EACH - len(lost), "packets")
    # What is lost where the numbering changes nobody can count.
    equal(sorted(step for step in steps if step != 1), [2, 3], "steps over holes")


@case
def legs_that_restart_apart_are_spliced_once(scene):
    def lives(leg, late_ns, late_then_ns):
        packets = []
        for n in range(400):
            ssrc, sequence = (1, 1_000 + n) if n < 200 else (2, 50_000 + n)
            payload = frames.rtp(body(n), sequence, n * TICKS, ssrc)
            packets.append((at(n, late_ns=late_ns if n < 200 else late_then_ns),
                            frames.datagram(payload, leg.source, leg.group, leg.port)))
        return packets
    got = replayed(scene, lives(A, 0, 0), lives(B, STEP // 2, 8 * STEP),
                   failover={"continuity": "splice"}, restamp={"ssrc": OWN})
    (ssrc, _, lost, _, problem), = rtp_streams(got.outs["out"])
    equal((ssrc, lost, problem), (OWN, 0, False), "SSRC, lost, problems")
    equal(got.stream()["restarts"], 1, "restarts")


# Raw MPEG-TS that carries a number of the operator's own: at byte 8, in the first packet's payload.
NUMBERED = {"format": "generic", "position": {"at": 8, "width": 4}}


def ts_body(place):
    made = bytearray(frames.ts_packets(random.Random(place), place))
    made[8:12] = place.to_bytes(4, "big")
    return bytes(made)


def raw_ts(leg, late_ns=0, without=()):
    return [(at(n, late_ns=late_ns), frames.datagram(ts_body(n), leg.source, leg.group, leg.port))
            for n in range(300) if n not in without]


@case
def inserted_header_makes_raw_ts_an_mp2t_stream_to_tshark(scene):
    legs = raw_ts(A, 0, range(7, 300, 31)), raw_ts(B, STEP // 2, range(9, 300, 37))
    got = replayed(scene, *legs, restamp={"rtp": "insert", "ssrc": OWN}, sequence=NUMBERED)
    path = got.outs["out"]
    equal(rtp_streams(path)[0][:3], (OWN, 300, 0), "SSRC, packets, lost")
    told = fields(path, ["rtp.version", "rtp.p_type", "rtp.seq", "mp2t.pid"],
                  decode=["udp.port==5000,rtp"])
    equal(set(one[:2] + one[3:] for one in told), {("2", "33", "0x00000100")}, "RTP and PID")
    equal([int(one[2]) for one in told], list(range(300)), "sequence numbers")
    equal(fields(path, ["mp2t.cc.drop"], "mp2t.cc.drop",
                 decode=["udp.port==5000,rtp"]), [], "continuity errors")
    equal([udp_payload(frame)[12:] for _, frame in got.out("out")],
          [ts_body(n) for n in range(300)], "the TS itself")
    harness.judged_by_tshark(path)


@case
def inserted_numbers_show_what_both_legs_lost(scene):
    lost = {100, 101, 200}
    got = replayed(scene, raw_ts(A, 0, lost), raw_ts(B, STEP // 2, lost),
                   restamp={"rtp": "insert"}, sequence=NUMBERED)
    equal(rtp_streams(got.outs["out"])[0][1:3], (297, 3), "packets, lost")
    equal(len(fields(got.outs["out"], ["mp2t.cc.drop"], "mp2t.cc.drop",
                     decode=["udp.port==5000,rtp"])), 2, "continuity errors")


@case
def stripped_stream_is_the_very_ts(scene):
    rng = random.Random(5)
    packets = []
    for n in range(300):
        extension = (0xBEDE, rng.randbytes(4 * rng.randrange(4))) if n % 3 == 0 else None
        payload = frames.rtp(ts_body(n), n, n * TICKS, csrcs=range(n % 5), extension=extension)
        if n % 4 == 0:
            padding = rng.randrange(1, 60)
            payload = bytes([payload[0] | 0x20]) + payload[1:] + bytes(padding - 1) + \
                bytes([padding])
        packets.append((at(n), frames.datagram(payload, A.source, A.group, A.port)))
    got = replayed(scene, packets, None, restamp={"rtp": "strip"})
    equal([udp_payload(frame) for _, frame in got.out("out")], [ts_body(n) for n in range(300)],
          "the TS")
    harness.judged_by_tshark(got.outs["out"])


@case
def stream_that_was_inserted_and_stripped_is_as_it_came(scene):
    first = replayed(scene, raw_ts(A), None, restamp={"rtp": "insert"}, sequence=NUMBERED)
    again = [(time, frames.datagram(udp_payload(frame), A.source, A.group, A.port))
             for time, frame in first.out("out")]
    second = replayed(scene, again, None, restamp={"rtp": "strip"}, outs="second.pcap")
    equal([udp_payload(frame) for _, frame in second.out("out")],
          [ts_body(n) for n in range(300)], "the TS")


@case
def header_is_inserted_before_vlan_ip6_and_unsummed_packets(scene):
    group, source = "ff3e::1", "fd00::5"
    red = [(at(n), frames.datagram(ts_body(n), source, group, 5000, vlans=[43]))
           for n in range(50)]
    blue = [(at(n, late_ns=STEP // 2), frames.datagram(ts_body(n), B.source, B.group, B.port,
                                                       udp_fields={"checksum": 0}))
            for n in range(50)]
    for leg, port, packets in (
            ({"port": "red", "vlan": 43, "to": f"[{group}]:5000"}, "red", red),
            (LEGS["B"], "blue", blue)):
        made = document({"A": leg}, {"main": MAIN, "second": {
            "port": "out", "vlan": 7, "to": "[ff3e::9]:5000", "source": "fd00::9"}},
            sequence=NUMBERED)
        made["streams"]["s"]["restamp"] = {"rtp": "insert"}
        got = scene.replay(scene.pipeline(made), {port: scene.capture(f"{port}.pcap", packets)},
                           {"out": "out.pcap"})
        told = fields(got.outs["out"], ["rtp.p_type", "mp2t.pid"], decode=["udp.port==5000,rtp"])
        equal((len(told), set(told)), (100, {("33", "0x00000100")}), "RTP to tshark")
        summed = fields(got.outs["out"], ["udp.checksum.status"])
        equal({one for one, in summed}, {"1"} if port == "red" else {"1", "3"}, "checksums")


@case
def splice_of_messages_is_refused_and_the_way_out_named(scene):
    made = document(LEGS, {"main": MAIN}, failover={"continuity": "splice"}, sequence="moldudp64")
    got = scene.run(scene.pipeline(made), {"red": scene.capture("red.pcap", raw_ts(A))})
    equal(got.code, 2, "exit")
    check("splice rewrites RTP headers" in got.stderr and "preserve" in got.stderr, got.stderr)
