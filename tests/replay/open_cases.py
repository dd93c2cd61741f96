# SPDX-License-Identifier: Apache-2.0
"""open: legs that arrive encrypted, sealed by a sender written from the RFCs."""
import os
import random

import harness
from harness import Skipped, case, check, document, equal

import frames
from protect_cases import key_of, payloads, receiver
from stream_cases import A, B, LEGS, MAIN, STEP, at
from trace_cases import Traced

try:
    from srtp_judge import Sender
except ImportError:
    Sender = None

SOURCE = 0x01020304
COUNT = 2000
PROFILES = (("srtp_gcm", 128, None), ("srtp_gcm", 256, None), ("srtp_cm", 128, 80),
            ("srtp_cm", 128, 32), ("srtp_cm", 256, 80))


def sender(key, bits, profile, tag=None):
    if Sender is None:
        raise Skipped("python3-cryptography is not installed")
    return Sender(key[:bits // 8], key[bits // 8:], profile, tag=(tag or 80) // 8)


def profile_of(scene, profile="srtp_gcm", bits=128, tag=None, seed=1, **more):
    """(what `open:` says, the sender that seals like that)"""
    name = f"{profile}{bits}{seed}.key"
    key = key_of(scene, name, bits // 8 + (12 if profile == "srtp_gcm" else 14), seed)
    told = {"profile": profile, "key_bits": bits, "key_file": name, **more}
    if tag:
        told["tag_bits"] = tag
    return told, sender(key, bits, profile, tag)


def clear(count=COUNT, first=65_000, ssrc=SOURCE):
    """RTP packets through a wrap of their numbers, by index."""
    return {n: frames.rtp(bytes([n % 251]) * (100 + n % 1200), n % 65536, 90 * n, ssrc,
                          csrcs=(7, 8) if n % 7 == 0 else ())
            for n in range(first, first + count)}


def on_leg(leg, packets, *, late_ns=0, step=STEP, begin=0):
    """Frames of payloads, one a step."""
    return [(at(begin) + late_ns + i * step,
             frames.datagram(payload, leg.source, leg.group, leg.port))
            for i, payload in enumerate(packets)]


def sealed(by, packets, roll_over=0):
    return [by.seal(packet, index + (roll_over << 16)) for index, packet in packets.items()]


def replayed(scene, red, blue, opens, *, failover=None, outs=None, outputs=None):
    legs = {name: {**LEGS[name], **({"open": told} if told else {})}
            for name, told in zip("AB", opens)}
    if blue is None:
        del legs["B"]
    made = document(legs, outputs or {"main": MAIN}, failover=failover)
    ins = {"red": scene.capture("red.pcap", sorted(red))}
    if blue is not None:
        ins["blue"] = scene.capture("blue.pcap", sorted(blue))
    return scene.replay(scene.pipeline(made), ins, outs or {"out": "out.pcap"})


def left_like_the_clear(scene, got, packets, *, failover=None):
    """Byte for byte the frames that leave when the legs come in the clear."""
    mine = [frame for _, frame in got.out("out")]
    want = replayed(scene, on_leg(A, packets), None, [None, None], failover=failover)
    check(mine == [frame for _, frame in want.out("out")], "not what leaves of a clear leg")
    harness.judged_by_tshark(got.outs["out"])


@case
def open_each_profile_gives_the_frames_of_a_clear_leg_through_a_wrap(scene):
    for profile, bits, tag in PROFILES:
        told, by = profile_of(scene, profile, bits, tag)
        got = replayed(scene, on_leg(A, sealed(by, clear())), None, [told, None])
        left_like_the_clear(scene, got, clear().values())
        equal(got.leg("A")["opened"], COUNT, "opened")
        equal(got.drops(), {}, "drops")


@case
def open_a_sealed_and_a_clear_leg_fill_each_others_holes(scene):
    told, by = profile_of(scene, "srtp_cm")
    packets = clear()
    red = [one for n, one in enumerate(on_leg(A, sealed(by, packets))) if n % 10 != 3]
    blue = [one for n, one in enumerate(on_leg(B, packets.values(), late_ns=3 * STEP + 7))
            if n % 10 != 6]
    got = replayed(scene, red, blue, [told, None])
    left_like_the_clear(scene, got, packets.values())
    equal(got.stream()["recovered"], 2 * COUNT // 10, "recovered")
    equal(got.leg("A")["opened"], COUNT * 9 // 10, "opened of A")
    equal(got.leg("B")["opened"], 0, "opened of B")


@case
def open_two_legs_under_keys_and_profiles_of_their_own(scene):
    gcm, first = profile_of(scene, "srtp_gcm", 256, seed=3)
    cm, second = profile_of(scene, "srtp_cm", 128, 32, seed=4)
    packets = clear()
    red = [one for n, one in enumerate(on_leg(A, sealed(first, packets))) if n % 10 != 3]
    blue = [one for n, one in enumerate(on_leg(B, sealed(second, packets), late_ns=STEP + 7))
            if n % 10 != 6]
    got = replayed(scene, red, blue, [gcm, cm])
    left_like_the_clear(scene, got, packets.values())
    equal(got.stream()["unrecovered"], 0, "unrecovered")


@case
def open_forged_replayed_and_cut_packets_end_by_name_and_nothing_of_them_leaves(scene):
    for profile, bits, tag in PROFILES:
        told, by = profile_of(scene, profile, bits, tag)
        packets = clear(600)
        whole = sealed(by, packets)
        chance = random.Random(5)
        red = on_leg(A, whole)
        added = []
        for n in range(10, 600, 10):
            bad = bytearray(whole[n])
            bad[chance.randrange(12, len(bad))] ^= 1 << chance.randrange(8)
            added += [(at(n, late_ns=-400_000), bytes(bad)), (at(n, late_ns=400_000), whole[n - 3])]
        others = (whole[300][:15], b"\0" * 90, packets[65_303])  # the last one in the clear
        added += [(at(300 + n, late_ns=450_000), one) for n, one in enumerate(others)]
        red += [(when, frames.datagram(one, A.source, A.group, A.port)) for when, one in added]
        got = replayed(scene, red, None, [told, None])
        left_like_the_clear(scene, got, packets.values())
        equal(got.drops(), {"forged": 60, "replayed": 59, "open_malformed": 2}, profile)
        equal({name: got.leg("A")[name] for name in ("opened", "forged", "replayed",
                                                     "open_malformed")},
              {"opened": 600, "forged": 60, "replayed": 59, "open_malformed": 2}, "of the leg")


@case
def open_forged_numbers_ahead_do_not_move_the_window(scene):
    told, by = profile_of(scene, replay_window=64)
    packets = clear(400)
    whole = sealed(by, packets)
    red = on_leg(A, whole)
    for n in range(0, 400, 2):
        ahead = bytearray(whole[n])
        ahead[2:4] = ((65_000 + n + 20_000) % 65536).to_bytes(2, "big")
        red.append((at(n, late_ns=1000), frames.datagram(bytes(ahead), A.source, A.group, A.port)))
    got = replayed(scene, red, None, [told, None])
    left_like_the_clear(scene, got, packets.values())
    equal(got.drops(), {"forged": 200}, "drops")


@case
def open_reordering_up_to_the_window_is_new_and_beyond_it_is_not(scene):
    told, by = profile_of(scene, "srtp_cm", replay_window=64)
    packets = clear(400)
    whole = on_leg(A, sealed(by, packets))
    late = {100: 62, 200: 63, 300: 64}  # number: how many come before it
    red = [(when + (late.get(n, 0) * STEP + STEP // 2 if n in late else 0), frame)
           for n, (when, frame) in enumerate(whole)]
    got = replayed(scene, red, None, [told, None],
                   failover={"max_skew": "100ms", "reorder_depth": 64})
    equal(got.drops(), {"replayed": 1}, "drops")
    equal(got.leg("A")["opened"], 399, "opened")
    left = [packet for n, packet in packets.items() if n != 65_300]
    check(payloads(got.out("out")) == left, "all but the one beyond the window")


@case
def open_finds_the_roll_over_counter_of_a_stream_that_is_joined_late(scene):
    for profile in ("srtp_gcm", "srtp_cm"):
        told, by = profile_of(scene, profile)
        packets = clear()
        got = replayed(scene, on_leg(A, sealed(by, packets, roll_over=5)), None, [told, None])
        missed = got.leg("A")["forged"]
        check(0 < missed < 6 * 5 + 2, f"{profile}: {missed} missed before it was found")
        check(payloads(got.out("out")) == list(packets.values())[missed:], profile)
        told["roc"] = 5
        got = replayed(scene, on_leg(A, sealed(by, packets, roll_over=5)), None, [told, None])
        check(payloads(got.out("out")) == list(packets.values()), f"{profile}: told")


@case
def open_finds_its_way_after_an_outage_longer_than_a_turn_of_numbers(scene):
    for gap in (30_000, 65_536 - 20, 65_536 * 2 + 100, 65_536 * 3 + 40_000):
        told, by = profile_of(scene)
        packets = clear(300) | clear(1000, 65_300 + gap)
        both = sealed(by, packets)
        red = on_leg(A, both[:300]) + on_leg(A, both[300:], begin=5000)
        got = replayed(scene, red, None, [told, None])
        opened = got.leg("A")["opened"]
        check(opened > 1270, f"after {gap}: {opened} of 1300 opened", got.drops())


@case
def open_a_source_that_begins_anew_has_another_ssrc_and_its_own_numbers(scene):
    told, by = profile_of(scene, roc=2)
    lives = [clear(300, first, ssrc) for first, ssrc in ((65_400, 0xA), (10, 0xB), (65_500, 0xC))]
    red = []
    for life, packets in enumerate(lives):
        red += on_leg(A, sealed(by, packets, roll_over=0 if life else 2), begin=1000 * life)
    got = replayed(scene, red, None, [told, None])
    equal(got.leg("A")["opened"], 900, "opened")
    wanted = [packet for life in lives for packet in life.values()]
    check(payloads(got.out("out")) == wanted, "all three lives")


@case
def open_what_is_sealed_again_is_opened_by_its_receiver(scene):
    told, by = profile_of(scene, "srtp_cm")
    key = key_of(scene, "out.key", 28, seed=9)
    packets = clear()
    outputs = {"main": {**MAIN, "protect": {"profile": "srtp_gcm", "key_file": "out.key"}}}
    got = replayed(scene, on_leg(A, sealed(by, packets)),
                   on_leg(B, packets.values(), late_ns=STEP // 2), [told, None],
                   failover={"continuity": "splice"}, outputs=outputs)
    judge = receiver(key[:16], key[16:], "srtp_gcm")
    opened = [judge.open(packet) for packet in payloads(got.out("out"))]
    check([one[12:] for one in opened] == [one[12:] for one in packets.values()], "what is inside")


@case
def open_follows_a_sender_that_changes_its_keys(scene):
    """What one castgate seals with four keys another one opens."""
    for profile, size, more in (("srtp_gcm", 28, {"mki_bytes": 2}),
                                ("srtp_cm", 30, {"mki_bytes": 1}),
                                ("esp_tunnel_preserve", 20, {"spi": 0x1000})):
        keys = [key_of(scene, "one.key", size, seed=seed).hex() for seed in range(4)]
        os.chmod(scene.file("s.key", "\n".join(keys)), 0o600)
        told = {"profile": profile, "key_file": "s.key", **more}
        packets = clear()
        seals = {"main": {**MAIN, "protect": {**told, "rekey_packets": 500}}}
        first = replayed(scene, on_leg(A, packets.values()), None, [None, None],
                         failover={"continuity": "splice"}, outputs=seals,
                         outs={"out": "sealed.pcap"})
        red = first.out("out")
        leg = {"port": "red", "to": MAIN["to"], "from": MAIN["source"], "open": told}
        made = scene.pipeline(document({"A": leg}, {"main": {**MAIN, "to": "239.9.0.9:5000"}}))
        got = scene.replay(made, {"red": scene.capture("red.pcap", red)}, {"out": "out.pcap"})
        equal(got.leg("A")["opened"], len(red), f"{profile}: opened")
        equal([one[12:] for one in payloads(got.out("out"))],
              [one[12:] for one in packets.values()], f"{profile}: what is inside")
        # Without its third key.
        os.chmod(scene.file("s.key", "\n".join([*keys[:2], "4: " + keys[3]])), 0o600)
        got = scene.replay(made, {"red": scene.capture("red.pcap", red)}, {"out": "out.pcap"})
        equal(got.leg("A")["opened"], len(red) - 500, f"{profile}: opened without the third")
        equal(got.drops().get("other_mki" if "mki_bytes" in more else "other_spi"), 500, profile)


@case
def open_trace_names_the_key_that_a_packet_fell_by(scene):
    told, by = profile_of(scene, mki_bytes=2)
    whole = [by.seal(packet, index) + b"\0\1" for index, packet in clear(3).items()]
    forged = bytearray(whole[2])
    forged[-3] ^= 1
    came = (whole[0], whole[0], whole[1][:-2] + b"\0\2", b"\x80\xc8" + bytes(40), bytes(forged))
    traced = Traced(scene, on_leg(A, came), [], legs={"A": {**LEGS["A"], "open": told}})
    leg = "streams.s.legs.A.open"
    for number, reason, why in ((2, "replayed", f"{leg}.replay_window"),
                                (3, "other_mki", f"{leg}.key_file"), (4, "rtcp", leg),
                                (5, "forged", leg)):
        got = traced.ask("red", number)
        equal((got["dropped"], got["steps"][-1]["key"]), (reason, why), f"packet {number}")
    check("dropped" not in traced.ask("red", 1), "the good packet is dropped")


@case
def open_refuses_a_key_that_an_output_seals_with_and_those_that_are_none(scene):
    told, _ = profile_of(scene)
    legs = {"A": {**LEGS["A"], "open": told}}
    secret = (scene.place / told["key_file"]).read_text()
    ins = {"red": scene.capture("red.pcap", on_leg(A, clear(5).values()))}
    os.chmod(scene.file("same.key", secret.upper()), 0o600)
    outputs = {"main": {**MAIN, "protect": {"profile": "srtp_gcm", "key_file": "same.key"}}}
    got = scene.run(scene.pipeline(document(legs, outputs, failover={"continuity": "splice"})), ins)
    check(got.code == 2 and "legs.A.open.key_file" in got.stderr
          and "an output seals with (same.key)" in got.stderr, got.stderr)
    made = scene.pipeline(document(legs, {"main": MAIN}))
    for text, mode, why in ((secret, 0o644, "chmod 600"), (secret[:-4], 0o600, "28 bytes")):
        os.chmod(scene.file(told["key_file"], text), mode)
        got = scene.run(made, ins)
        check(got.code == 2 and why in got.stderr and "open.key_file" in got.stderr, got.stderr)
        check(secret[:8] not in got.stderr, "the key is told")
