# SPDX-License-Identifier: Apache-2.0
"""open with ESP: what is not opened ends by name, and where a leg is in its numbers."""
import random

from harness import case, check, equal

import frames
from esp_open_cases import (COUNT, INNER, IP4, IP6, OUTER, SPI, UDP, Sealer, by_scapy, fed,
                            ip_packet, leg_of, like_the_clear, packets_inside, raw, replayed,
                            sealer, told_of)
from open_cases import clear
from protect_cases import payloads
from stream_cases import A, STEP, at
from trace_cases import Traced

DUMMY = 59


@case
def esp_leg_drops_each_kind_of_wrong_packet_by_name(scene):
    bodies = list(clear(COUNT).values())
    for udp in (False, True):
        told, key = told_of(scene, "esp_tunnel", inner=4, udp_encapsulation=udp)
        told["inner"]["source"] = INNER[4][0]
        by = sealer(key)
        inside = packets_inside(4, bodies)
        whole = [by.seal(n + 1, IP4, packet) for n, packet in enumerate(inside)]
        chance = random.Random(5)
        added = []  # (before which packet, what)
        for n in range(10, COUNT, 10):
            bad = bytearray(whole[n])
            bad[chance.randrange(8, len(bad))] ^= 1 << chance.randrange(8)
            added += [(n, bytes(bad)), (n, whole[n - 3])]
        number = iter(range(1000, 2000))
        other = Sealer(key, SPI + 1)
        wrong = {
            "open_malformed": [whole[0][:35], whole[9][:-1], whole[9][:8],
                               by.seal(next(number), IP4, inside[0], padding=b"\1\3")],
            "forged": [whole[COUNT - 1][:-4], whole[COUNT - 1] + b"1234"],
            "other_spi": [other.seal(n, IP4, inside[n]) for n in (7, 8)],
            "esp_dummy": [by.seal(next(number), DUMMY, bytes(size)) for size in (0, 60)],
            "inner_malformed": [by.seal(next(number), *one) for one in (
                (UDP, inside[0][20:]), (IP6, inside[0]), (IP4, inside[0][:-1]), (IP4, b""),
                (IP4, frames.ipv4(inside[0][20:], *INNER[4], fragment=0x2000)),
                (IP4, frames.ipv4(inside[0][20:], *INNER[4], protocol=6)),
                (IP4, frames.ipv4(inside[0][20:], *INNER[4], checksum=1)),
                (IP4, frames.ipv4(frames.udp(b"1", *INNER[4], 1, 5001, length=10), *INNER[4])))],
            "other_selector": [by.seal(next(number), IP4, ip_packet(bodies[0], *place))
                               for place in ((INNER[4][0], INNER[4][1], 5002),
                                             (INNER[4][0], "239.7.0.2", 5001),
                                             ("10.7.0.6", INNER[4][1], 5001))]}
        if udp:
            wrong["not_esp"] = [b"\xff", b"\0\0\0\0" + bytes(40), b"\0\0\0\0"]
        tail = [(COUNT - 1, one) for few in wrong.values() for one in few]
        wrap = (lambda esp: ip_packet(esp, *OUTER[4])) if udp else raw
        red = fed([wrap(one) for one in whole], A.group)
        red += [(at(n - 1) + 1000 * (i + 1), frames.ethernet(wrap(one), A.group))
                for i, (n, one) in enumerate(added + tail)]
        got = replayed(scene, {"A": leg_of(4, told)}, red, max_skew="1ms")
        told_counts = {"forged": 29, "replayed": 29}
        for name, few in wrong.items():
            told_counts[name] = told_counts.get(name, 0) + len(few)
        equal(got.drops(), told_counts, f"udp: {udp}")
        of_leg = {name: got.leg("A")[name] for name in told_counts}
        if not udp:  # which classify tells
            told_counts["other_spi"] = 0
        equal(of_leg, told_counts, "of the leg")
        # What was genuine and of no use moved the window, as it should.
        like_the_clear(scene, got, 4, bodies)


@case
def esp_of_others_ends_as_it_did(scene):
    told, key = told_of(scene, "esp_tunnel", inner=4)
    by = sealer(key)
    esp = by.seal(1, IP4, packets_inside(4, [b"x" * 40])[0])
    legs = {"A": {**leg_of(4, told), "from": A.source}}
    other = Sealer(key, SPI + 1).seal(1, IP4, bytes(40))
    red = [(at(n), frames.ethernet(one, A.group)) for n, one in enumerate((
        frames.ipv4(esp, "10.1.0.6", A.group, protocol=frames.ESP),
        raw(other), raw(esp[:3]),
        frames.ipv4(esp, A.source, "239.1.0.2", protocol=frames.ESP),
        frames.ipv4(frames.udp(esp, A.source, A.group, A.port, A.port), A.source, A.group)))]
    red.append((at(9), frames.ethernet(raw(esp), A.group, vlans=(9,))))
    got = replayed(scene, legs, red)
    equal(got.drops(), {"source_filter": 1, "other_spi": 1, "not_udp": 3, "no_feed": 1}, "drops")


@case
def esp_leg_counts_on_beyond_32_bits_and_finds_a_sender_that_is_there_already(scene):
    bodies = list(clear(COUNT).values())
    # Each packet is tried where it would be at first, and at others further on.
    for first, most in ((2 ** 32 - 150, 0), (2 ** 32 + 7, 0), (5 * 2 ** 32 + 7, 13),
                        (9 * 2 ** 32 - 5, 25)):
        told, key = told_of(scene, "esp_tunnel", inner=4)
        sealed = by_scapy(key, packets_inside(4, bodies), outer=OUTER[4], first=first)
        got = replayed(scene, {"A": leg_of(4, told)}, fed(sealed, A.group))
        missed = got.leg("A")["forged"] + got.leg("A")["replayed"]
        check(missed <= most, f"{first:#x}: {missed} missed")
        check(payloads(got.out("out")) == bodies[missed:], f"{first:#x}: what left")
    told, key = told_of(scene, "esp_tunnel", inner=4, esn=False)
    sealed = by_scapy(key, packets_inside(4, bodies), outer=OUTER[4], first=2 ** 32 - COUNT,
                      esn=False)
    got = replayed(scene, {"A": leg_of(4, told)}, fed(sealed, A.group))
    check(payloads(got.out("out")) == bodies, "numbers of 32 bits")


@case
def esp_leg_takes_what_is_late_within_its_window_and_nothing_beyond(scene):
    bodies = list(clear(400).values())
    for esn, first in ((True, 1), (False, 1), (True, 2 ** 32 - 250)):
        told, key = told_of(scene, "esp_tunnel", inner=4, esn=esn, replay_window=64)
        by = sealer(key, esn=esn)
        whole = fed([raw(by.seal(first + n, IP4, packet))
                     for n, packet in enumerate(packets_inside(4, bodies))], A.group)
        late = {100: 62, 200: 63, 300: 64}  # number: how many come before it
        red = [(when + (late.get(n, 0) * STEP + STEP // 2 if n in late else 0), frame)
               for n, (when, frame) in enumerate(whole)]
        got = replayed(scene, {"A": leg_of(4, told)}, red, max_skew="100ms", reorder_depth=64)
        # With numbers of 64 bits what is far behind can only be of the turn to come.
        equal(got.drops(), {"forged" if esn else "replayed": 1}, f"esn {esn}, {first}")
        check(payloads(got.out("out")) == bodies[:300] + bodies[301:], "all but the one beyond")


@case
def esp_trace_names_the_key_that_a_packet_fell_by(scene):
    told, key = told_of(scene, "esp_tunnel", inner=4)
    by = sealer(key)
    whole = [by.seal(n + 1, IP4, packet)
             for n, packet in enumerate(packets_inside(4, list(clear(9).values())))]
    esp = (whole[0], whole[0], whole[1][:-4] + b"1234", Sealer(key, SPI + 1).seal(1, IP4, b"1234"),
           by.seal(9, DUMMY, b""), by.seal(10, IP4, ip_packet(b"x" * 40, *OUTER[4])))
    traced = Traced(scene, fed([raw(one) for one in esp], A.group), [],
                    legs={"A": {**leg_of(4, told), "from": A.source}})
    leg = "streams.s.legs.A.open"
    for number, reason, why in ((2, "replayed", f"{leg}.replay_window"), (3, "forged", leg),
                                (4, "other_spi", f"{leg}.spi"), (5, "esp_dummy", leg),
                                (6, "other_selector", f"{leg}.inner")):
        told = traced.ask("red", number)
        equal((told["dropped"], told["steps"][-1]["key"]), (reason, why), f"packet {number}")
    check("dropped" not in traced.ask("red", 1), "the good packet is dropped")
