# SPDX-License-Identifier: Apache-2.0
"""offset: legs of independent servers, each with numbers of its own, leave as one stream."""
import json
import random
import struct

import capture_file
import harness
from harness import case, check, document, equal, fields

import frames
from message_cases import udp_payload
from real_cases import OUTPUT, payload, real
from restamp_cases import rtp_streams
from stream_cases import A, B, LEGS, MAIN, STEP, at

TICKS = 90    # of 90 kHz, in one step
LEARNT = 100  # places within which a leg is known: 2 * max_skew, 32 of them, and what is lost

# First sequence number and timestamp, and SSRC.
RED = (65_300, 4_294_960_000, 0x0A0A0A0A)
BLUE = (33_000, 17, 0x0B0B0B0B)


def body(place):
    """Each has content of its own but for one in twenty, which are null packets."""
    chosen = random.Random(place)
    return bytes(188) if chosen.random() < 0.05 else chosen.randbytes(188)


def served(leg, server, places, late_ns=0, payloads=body, **how):
    """What a server sends of `places`, numbered as it likes."""
    sequence, timestamp, ssrc = server
    return [(at(place, late_ns=late_ns),
             frames.datagram(frames.rtp(payloads(place), sequence + place,
                                        (timestamp + place * TICKS) % 2**32, ssrc),
                             leg.source, leg.group, leg.port, **how)) for place in places]


def lossy(seed, count, percent=1):
    rng = random.Random(seed)
    return [place for place in range(count) if rng.random() >= percent / 100]


def two_servers(scene, red, blue, offset="auto", failover=None, sequence="rtp"):
    made = document({**LEGS, "B": {**LEGS["B"], "offset": offset}}, {"main": MAIN},
                    failover=failover, sequence=sequence)
    path = scene.place / "events.jsonl"
    ins = {"red": scene.capture("red.pcap", red), "blue": scene.capture("blue.pcap", blue)}
    got = scene.replay(scene.pipeline(made), ins, {"out": "out.pcap"}, {}, ["--events", path])
    return got, path


def judged(got, red, blue, count):
    """One stream of the reference's numbers to tshark: all that A brought, and of B, once it is
    known, all that A lacks, each once and in order."""
    sequence, timestamp, ssrc = RED
    seen = fields(got.outs["out"], ["rtp.seq", "rtp.timestamp", "rtp.ssrc"],
                  decode=["udp.port==5000,rtp"])
    places = [(int(number) - sequence) % 65_536 for number, _, _ in seen]
    equal(places, sorted(set(places)), "places, once each and in order")
    union = set(red) | set(blue)
    equal(set(places) - union, set(), "places that nobody sent")
    equal(union - set(places) - (set(range(LEARNT)) - set(red)), set(), "places that are missing")
    equal({one for _, _, one in seen}, {f"0x{ssrc:08x}"}, "SSRCs")
    for place, (_, stamp, _), (_, frame) in zip(places, seen, got.out("out")):
        equal(int(stamp), (timestamp + place * TICKS) % 2**32, f"timestamp of place {place}")
        equal(udp_payload(frame)[12:], body(place), f"content of place {place}")
    harness.judged_by_tshark(got.outs["out"])
    (_, packets, lost, _, problem), = rtp_streams(got.outs["out"])
    # Before the leg is known A's losses are the stream's; later ones, and what both lost, as well.
    equal((packets, lost), (len(places), places[-1] - places[0] + 1 - len(places)), "to tshark")
    equal(problem, lost != 0, "problems that tshark sees")
    equal(places[-1], count - 1, "the last place")


@case
def independent_servers_leave_as_one_rtp_stream(scene):
    count = 2_000
    for seed, late_ns in ((1, STEP // 2), (2, 8 * STEP), (3, -8 * STEP)):
        red, blue = lossy(seed, count - 1), lossy(seed + 100, count - 1)
        red, blue = [*red, count - 1], [*blue, count - 1]
        got, path = two_servers(scene, served(A, RED, red, max(0, -late_ns)),
                                served(B, BLUE, blue, max(0, late_ns)))
        judged(got, red, blue, count)
        leg = got.leg("B")
        equal(leg["offset"], 65_300 - 33_000, "offset")
        equal(leg["state"], "up", "state")
        equal(got.drops().get("offset_learning"), leg["offset_learning"], "withheld")
        check(leg["offset_learning"] <= LEARNT, "withheld", leg["offset_learning"])
        told = [line for line in path.read_text().splitlines() if "offset_" in line]
        check(len(told) == 1 and '"event":"offset_locked"' in told[0] and
              '"leg":"B","offset":32300' in told[0], told)


@case
def server_that_restarts_is_learnt_anew_and_nothing_wrong_leaves(scene):
    count, again = 3_000, 1_500
    for ssrc in (0x0C0C0C0C, BLUE[2]):
        red = [*lossy(5, count - 1), count - 1]
        first, second = lossy(6, again), [n for n in lossy(7, count) if n >= again + 50]
        blue = served(B, BLUE, first, STEP // 2)
        blue += served(B, (7_777, 123_456_789, ssrc), second, STEP // 2)
        got, path = two_servers(scene, served(A, RED, red), blue)
        sequence = RED[0]
        numbers = [int(number) for number, in fields(got.outs["out"], ["rtp.seq"],
                                                     decode=["udp.port==5000,rtp"])]
        places = [(number - sequence) % 65_536 for number in numbers]
        equal(places, sorted(set(places)), "places, once each and in order")
        for place, (_, frame) in zip(places, got.out("out")):
            equal(udp_payload(frame)[12:], body(place), f"content of place {place}")
        away = set(range(LEARNT)) | set(range(again, again + 50 + LEARNT))
        missing = (set(red) | set(first) | set(second)) - set(places)
        equal(missing - (away - set(red)), set(), "places that are missing")
        told = [line.split('"event":"')[1].split('"')[0] for line in
                path.read_text().splitlines() if '"leg":"B"' in line]
        equal([one for one in told if one.startswith("offset")],
              ["offset_locked", "offset_lost", "offset_locked"], "events")
        equal(got.leg("B")["offset"], (65_300 - 7_777 + 32_768) % 65_536 - 32_768, "offset")


@case
def reference_that_restarts_takes_the_other_leg_with_it(scene):
    count, again = 3_000, 1_500
    later = (20_000, 5, 0x0D0D0D0D)
    red = served(A, RED, range(again)) + served(A, later, range(again, count))
    got, path = two_servers(scene, red, served(B, BLUE, range(count), STEP // 2))
    seen = fields(got.outs["out"], ["rtp.ssrc"], decode=["udp.port==5000,rtp"])
    ssrcs = [one for one, in seen]
    changes = [n for n in range(1, len(ssrcs)) if ssrcs[n] != ssrcs[n - 1]]
    equal([ssrcs[0], len(changes), ssrcs[-1]], ["0x0a0a0a0a", 1, "0x0d0d0d0d"], "SSRCs")
    equal([udp_payload(frame)[12:] for _, frame in got.out("out")],
          [body(n) for n in range(count)], "content")
    equal(got.stream()["restarts"], 1, "restarts")
    for leg in ("A", "B"):
        equal(got.leg(leg)["state"], "up", f"state of leg {leg}")
    check('"offset":-13000' in path.read_text(), "the new offset is not told")


@case
def leg_of_other_content_is_never_let_in(scene):
    count = 2_000
    red, blue = lossy(8, count), lossy(9, count)
    other = served(B, RED, blue, STEP // 2, lambda place: random.Random(-1 - place).randbytes(188))
    got, path = two_servers(scene, served(A, RED, red), other)
    equal([udp_payload(frame)[12:] for _, frame in got.out("out")], [body(n) for n in red], "out")
    equal(got.leg("B")["state"], "learning", "state")
    equal(got.leg("B")["offset"], None, "offset")
    equal(got.drops()["offset_learning"], len(blue), "withheld")
    check("offset_locked" not in path.read_text(), "it was believed")


@case
def known_offset_moves_the_numbers_of_any_sequence_and_no_sum_breaks(scene):
    def numbered(form):
        def of(leg, first):
            return [(at(n, late_ns=0 if leg is A else 1), frames.datagram(
                form(first + n, n), leg.source, leg.group, leg.port)) for n in range(300)
                if n % 7 != (2 if leg is A else 5)]
        return of

    def rtp_extended(number, n):
        return frames.rtp(struct.pack(">H", number >> 16 & 0xFFFF) + body(n), number, n)

    def mold(number, n):
        return struct.pack(">10sQHH", b"session 01", number, 1, 188) + body(n)

    generic = {"format": "generic", "position": {"at": 3, "width": 4, "endian": "little"}}
    forms = [("rtp", lambda number, n: frames.rtp(body(n), number, n), 65_400, 100),
             ("rtp_extended", rtp_extended, 0x12FFF0, 0xFFFFFF00),
             ("cme_mdp3", lambda number, n: struct.pack("<IQ", number % 2**32, n) + body(n), 9, 0),
             ("moldudp64", mold, 1 << 40, 5),
             (generic, lambda number, n: b"abc" + struct.pack("<I", number) + body(n), 70_000, 3)]
    for sequence, form, first, other in forms:
        red, blue = numbered(form)(A, first), numbered(form)(B, other)
        got, _ = two_servers(scene, red, blue, offset=first - other, sequence=sequence)
        equal([udp_payload(frame) for _, frame in got.out("out")],
              [form(first + n, n) for n in range(300)], f"{sequence}")
        harness.judged_by_tshark(got.outs["out"])
        equal(got.leg("B")["offset"], first - other, "offset")


@case
def packets_without_a_checksum_stay_without_one(scene):
    red, blue = range(0, 600, 3), range(600)
    unsummed = {"udp_fields": {"checksum": 0}}
    got, _ = two_servers(scene, served(A, RED, red, **unsummed),
                         served(B, BLUE, blue, STEP // 2, **unsummed))
    check(len(got.out("out")) > 400, "packets out", len(got.out("out")))
    equal({frame[40:42] for _, frame in got.out("out")}, {b"\0\0"}, "UDP checksums")


@case
def real_audio_of_two_servers_comes_out_whole(scene):
    """A recorded stream, split into two lossy legs of which one is renumbered."""
    packets = capture_file.read_pcap(real("st2110/l16_48000_2ch_1ms.pcap"))
    packets = [one for one in packets if one[1][30:34] == bytes([239, 31, 114, 5]) and
               one[1][36:38] == struct.pack(">H", 5004)]
    count = len(packets)
    equal(count, 10_062, "packets")
    red = set(lossy(1, count, 2)) | {0, count - 1}
    blue = set(lossy(2, count, 2))

    def renumbered(frame):
        number, stamp = struct.unpack(">HI", frame[44:50])
        moved = struct.pack(">HII", (number + 50_000) % 65_536, (stamp + 0x9000_0000) % 2**32,
                            0xB)
        return frame[:40] + b"\0\0" + frame[42:44] + moved + frame[54:]

    ins = {"red": scene.capture("red.pcap", [packets[n] for n in sorted(red)]),
           "blue": scene.capture("blue.pcap", [(packets[n][0] + 300_000, renumbered(packets[n][1]))
                                               for n in sorted(blue)])}
    to = {"to": "239.31.114.5:5004"}
    unverified = {"verify": {"ip_checksum": False}}
    made = document({"A": {"port": "red", **to}, "B": {"port": "blue", **to, "offset": "auto"}},
                    OUTPUT, ports={"red": unverified, "blue": unverified})
    got, events = events_of_out(scene, made, ins)
    sent = [payload(frame) for _, frame in packets]
    out = [payload(frame) for _, frame in got.out("out")]
    places = {one: n for n, one in enumerate(sent)}
    came = [places.get(one, -1) for one in out]
    equal([n for n in came if n < 0], [], "packets that nobody sent")
    equal(came, sorted(set(came)), "order")
    learnt = next(n for n in came if n not in red)
    check(learnt < 400, "learnt only at", learnt)
    equal((red | {n for n in blue if n >= learnt}) - set(came), set(), "packets that are missing")
    equal([one["offset"] for one in events if one["event"] == "offset_locked"], [15_536], "offset")


def events_of_out(scene, made, ins):
    path = scene.place / "events.jsonl"
    got = scene.replay(scene.pipeline(made), ins, {"out": "out.pcap"}, {}, ["--events", path])
    return got, [json.loads(line) for line in path.read_text().splitlines()]
