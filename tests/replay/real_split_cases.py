# SPDX-License-Identifier: Apache-2.0
"""Feeds that others recorded, over two paths that lose and delay: what any path brought must leave,
once and in order. Skipped where the captures are absent (CASTGATE_PCAPS names the place)."""
import harness
from harness import case, check, document, equal

import capture_file
from fingerprint_cases import LEGS, MAIN, A, B, capture, lossy, payload
from real_cases import real

# Each single feed with numbers: the capture, and how many bytes its VLAN tags take.
FEEDS = (("iptv/tsduck-162-vlan-rtp-ts.pcap", 4), ("st2110/l16_48000_2ch_1ms.pcap", 0),
         ("st2110/l24_48000_8ch_0125.pcap", 0))
# The same numbers where RTP has them, without a word of RTP.
OWN = {"format": "generic", "position": {"at": 2, "width": 2}, "epoch": {"at": 8, "width": 4}}


def feed_of(name, tags):
    """(times, UDP payloads) of a capture of one stream."""
    packets = capture_file.read_pcap(real(name))
    return [time for time, _ in packets], [payload(frame[tags:]) for _, frame in packets]


def split(scene, name, tags, seed, *, loss, late_ns, sequence="rtp", failover=None):
    """A replay of one feed as two legs; what left is compared with what came."""
    times, payloads = feed_of(name, tags)
    quiet = min(20, len(times) // 4)
    came = [lossy(times, loss, "red", seed, quiet=quiet),
            lossy(times, loss, "blue", seed, late_ns=late_ns, quiet=quiet)]
    ins = {port: scene.capture(f"{port}.pcap", capture(payloads, leg, one))
           for port, leg, one in zip(("red", "blue"), (A, B), came)}
    made = document(LEGS, MAIN, sequence=sequence, failover=failover)
    got = scene.replay(scene.pipeline(made), ins, {"out": "out.pcap"})
    arrived = [place for place in range(len(times)) if any(place in one for one in came)]
    what = f"{name}, seed {seed}"
    equal([payload(frame) for _, frame in got.out("out")], [payloads[place] for place in arrived],
          f"{what}: payloads out")
    equal(got.stream()["unrecovered"], len(times) - len(arrived), f"{what}: unrecovered")
    equal(got.drops(), {"redundant": sum(map(len, came)) - len(arrived)}, f"{what}: drops")
    for leg, one in zip("AB", came):
        equal(got.leg(leg)["lost"], len(times) - len(one), f"{what}: lost of leg {leg}")
    stays = [left - times[place] for (left, _), place in zip(got.out("out"), arrived)]
    return len(times) - len(arrived), stays


@case
def real_rtp_feeds_over_two_lossy_paths_lose_only_what_both_lost(scene):
    both = 0
    for name, tags in FEEDS:
        for seed, loss, late_ns in ((1, 0.01, 3_000_000), (2, 0.1, 9_900_000)):
            both += split(scene, name, tags, seed, loss=loss, late_ns=late_ns)[0]
    check(both > 50, "hardly anything was lost on both paths")


@case
def real_feeds_numbered_by_bytes_of_ones_own_lose_only_what_both_lost(scene):
    for name, tags in FEEDS:
        split(scene, name, tags, 3, loss=0.05, late_ns=2_000_000, sequence=OWN)


@case
def real_feeds_over_two_lossy_paths_keep_a_constant_delay_in_playout(scene):
    for name, tags in FEEDS:
        _, stays = split(scene, name, tags, 4, loss=0.05, late_ns=5_000_000,
                         failover={"release": "playout", "playout_delay": "20ms"})
        check(19_500_000 < min(stays) and max(stays) < 20_500_000,
              f"{name}: packets stayed from {min(stays)} to {max(stays)} ns")


@case
def real_st2022_7_pair_loses_only_what_both_paths_lose(scene):
    """Each leg of the recorded pair loses a twentieth more."""
    packets = capture_file.read_pcap(real("ab/ST2022-7-Audio.pcap"))
    legs = {"A": {"port": "red", "from": "192.168.120.2", "to": "239.1.2.1:6000"},
            "B": {"port": "blue", "from": "192.168.130.2", "to": "239.1.2.2:6000"}}
    unverified = {"verify": {"ip_checksum": False}}
    ins, sent, came = {}, {}, []
    for number, port in enumerate(("red", "blue")):
        group = bytes([239, 1, 2, 1 + number])
        leg = [packet for packet in packets if packet[1][30:34] == group]
        kept = lossy([time for time, _ in leg], 0.05, port, 5)
        ins[port] = scene.capture(f"{port}.pcap", [leg[place] for place in sorted(kept)])
        numbers = harness.rtp_numbers(leg)
        sent |= {number: payload(frame) for number, (_, frame) in zip(numbers, leg)}
        came.append({numbers[place] for place in kept})
    pipeline = document(legs, MAIN, ports={"red": unverified, "blue": unverified},
                        failover={"max_rate": "20kpps"})
    got = scene.replay(scene.pipeline(pipeline), ins, {"out": "out.pcap"})
    arrived = sorted(came[0] | came[1])
    out = got.out("out")
    equal(harness.rtp_numbers(out), arrived, "numbers out")
    equal([payload(frame) for _, frame in out], [sent[number] for number in arrived], "payloads")
    equal(got.stream()["unrecovered"], 16001 - len(arrived), "unrecovered")
    check(16001 - len(arrived) > 20, "hardly anything was lost on both legs")
