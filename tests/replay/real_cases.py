# SPDX-License-Identifier: Apache-2.0
"""Captures that others recorded; skipped where they are absent (CASTGATE_PCAPS names the place)."""
import harness
from harness import case, document, equal

import capture_file

OUTPUT = {"main": {"port": "out", "to": "239.9.0.1:6000", "source": "10.0.0.9"}}


def real(name):
    path = harness.REAL_CAPTURES / name
    if not path.is_file():
        raise harness.Skipped(f"{path} is not here")
    return path


def payload(frame):
    """The UDP payload of an untagged IPv4 frame without options."""
    return frame[42:38 + int.from_bytes(frame[38:40], "big") - 4]


@case
def st2022_7_pair_comes_out_once_each_and_in_order(scene):
    path = real("ab/ST2022-7-Audio.pcap")
    legs = {"A": {"port": "red", "from": "192.168.120.2", "to": "239.1.2.1:6000"},
            "B": {"port": "blue", "from": "192.168.130.2", "to": "239.1.2.2:6000"}}
    unverified = {"verify": {"ip_checksum": False}}
    pipeline = document(legs, OUTPUT, ports={"red": unverified, "blue": unverified},
                        failover={"max_rate": "20kpps"})
    got = scene.replay(scene.pipeline(pipeline), {"red": path, "blue": path}, {"out": "out.pcap"})
    sent = {harness.rtp_numbers([packet])[0]: payload(packet[1])
            for packet in capture_file.read_pcap(path)}
    out = got.out("out")
    equal(harness.rtp_numbers(out), list(range(24882, 40883)), "numbers out")
    equal(len(out), 16001, "packets out")
    wrong = [number for number, (_, frame) in zip(range(24882, 40883), out)
             if payload(frame) != sent[number]]
    equal(wrong, [], "numbers whose payload is another")
    equal(got.stream()["forwarded"], 16001, "forwarded")
    equal(got.stream()["unrecovered"], 0, "unrecovered")
    equal(got.stream()["redundant"], 15999, "redundant")
    equal(got.drops(), {"redundant": 15999, "no_feed": 32000}, "drops")


@case
def st2022_7_pair_leaves_with_valid_headers(scene):
    path = real("ab/ST2022-7-Audio.pcap")
    pipeline = document({"A": {"port": "red", "to": "239.1.2.1:6000"},
                         "B": {"port": "red", "to": "239.1.2.2:6000"}}, OUTPUT,
                        ports={"red": {"verify": {"ip_checksum": False}}},
                        failover={"max_rate": "20kpps"})
    got = scene.replay(scene.pipeline(pipeline), {"red": path}, {"out": "out.pcap"})
    harness.judged_by_tshark(got.outs["out"], unsummed=True)


def one_feed(scene, name, to, count, *, vlan=None, sequence="rtp"):
    """A single stream of a capture: all of it must come out, as it was."""
    path = real(name)
    legs = {"A": {"port": "red", "to": to, **({"vlan": vlan} if vlan else {})}}
    pipeline = document(legs, OUTPUT, sequence=sequence,
                        ports={"red": {"verify": {"ip_checksum": False}}},
                        failover={"max_rate": "20kpps"})
    got = scene.replay(scene.pipeline(pipeline), {"red": path}, {"out": "out.pcap"})
    equal(got.stream()["forwarded"], count, "forwarded")
    equal(len(got.out("out")), count, "packets out")
    return got


@case
def aes67_audio_goes_through_whole(scene):
    got = one_feed(scene, "st2110/l16_48000_2ch_1ms.pcap", "239.31.114.5:5004", 10062)
    equal(harness.rtp_numbers(got.out("out")), list(range(1267, 11329)), "numbers out")


@case
def audio_of_8000_packets_a_second_goes_through_whole(scene):
    one_feed(scene, "st2110/l24_48000_8ch_0125.pcap", "239.32.37.1:50030", 10000)


@case
def every_real_capture_replays_with_a_balanced_ledger(scene):
    """castgate answers for every frame of whatever a network may hold."""
    if not harness.REAL_CAPTURES.is_dir():
        raise harness.Skipped(f"{harness.REAL_CAPTURES} is not here")
    legs = {"A": {"port": "red", "to": "239.1.2.1:6000"},
            "B": {"port": "red", "vlan": 43, "to": "235.0.2.1:2000"}}
    pipeline = scene.pipeline(document(legs, OUTPUT))
    captures = sorted(harness.REAL_CAPTURES.rglob("*.pcap"))
    harness.check(captures, f"no capture in {harness.REAL_CAPTURES}")
    for path in captures:
        got = scene.run(pipeline, {"red": path}, {"out": "out.pcap"}, options=["--json"])
        harness.check(got.code in (0, 2), f"{path.name}: exit {got.code}", got.stderr)
        if got.code == 2:
            harness.check("only Ethernet captures are read" in got.stderr, path.name, got.stderr)
            continue
        got.balanced(len(capture_file.read_pcap(path)))
