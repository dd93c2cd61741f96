# SPDX-License-Identifier: Apache-2.0
"""open with ESP: legs sealed by scapy's IPsec, and by a sender written from the RFCs."""
import json
import subprocess

import harness
from harness import Skipped, case, check, document, equal

import frames
from esp_cases import SUPPORT
from open_cases import clear, on_leg
from protect_cases import key_of, payloads
from stream_cases import A, B, LEGS, MAIN, STEP, at

try:
    from esp_judge import Sealer
except ImportError:
    Sealer = None

SPI = 0x5001
COUNT = 300
IP4, IP6, UDP = 4, 41, 17
# Of the leg, by family: sender, group; of the packet inside: source, destination.
OUTER = {4: (A.source, A.group), 6: ("2001:db8:1::5", "ff3e::1:1")}
INNER = {4: ("10.7.0.5", "239.7.0.1"), 6: ("2001:db8:7::5", "ff3e::7")}


def shown(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def ip_packet(body, source, to, port=A.port):
    return frames.datagram(body, source, to, port)[14:]


def leg_of(family, told, port=A.port):
    return {"port": "red", "to": shown(OUTER[family][1], port), "open": told}


def told_of(scene, profile, *, bits=128, inner=None, **more):
    """(what `open:` says, the key)"""
    name = f"{profile}{bits}.key"
    key = key_of(scene, name, bits // 8 + 4)
    told = {"profile": profile, "key_bits": bits, "key_file": name, "spi": SPI, **more}
    if inner:
        told["inner"] = {"to": shown(INNER[inner][1], 5001)}
    return told, key


def by_scapy(key, packets, *, outer, first=1, esn=True):
    """The IP packets that scapy makes of others; numbers go on from `first`."""
    told = {"spi": SPI, "key": key.hex(), "esn": esn, "outer": outer,
            "packets": [[first + n, packet.hex()] for n, packet in enumerate(packets)]}
    run = subprocess.run([SUPPORT / "esp_scapy_sender.py"], input=json.dumps(told), text=True,
                         capture_output=True, check=False)
    if "No module named" in run.stderr:
        raise Skipped("python3-scapy is not installed")
    equal(run.returncode, 0, run.stderr[-2000:])
    return [bytes.fromhex(line) for line in run.stdout.splitlines()]


def in_udp(packets, family, port):
    """RFC 3948, which scapy gets wrong: its UDP header has the length of nothing."""
    source, to = OUTER[family]
    return [ip_packet(packet[20 if family == 4 else 40:], source, to, port) for packet in packets]


def sealer(key, **how):
    if Sealer is None:
        raise Skipped("python3-cryptography is not installed")
    return Sealer(key, SPI, **how)


def fed(packets, to, *, vlans=(), late_ns=0):
    return [(at(n, late_ns=late_ns), frames.ethernet(packet, to, vlans=vlans))
            for n, packet in enumerate(packets)]


def raw(esp, family=4, **header):
    """ESP as IP protocol 50."""
    source, to = OUTER[family]
    if family == 4:
        return frames.ipv4(esp, source, to, protocol=frames.ESP, **header)
    return frames.ipv6(esp, source, to, next_header=frames.ESP, **header)


def replayed(scene, legs, red, blue=None, *, outs=None, outputs=None, ports=None, **failover):
    made = document(legs, outputs or {"main": MAIN}, failover=failover, ports=ports)
    ins = {"red": scene.capture("red.pcap", sorted(red))}
    if blue is not None:
        ins["blue"] = scene.capture("blue.pcap", sorted(blue))
    return scene.replay(scene.pipeline(made), ins, outs or {"out": "out.pcap"})


def sent(got):
    return [frame for _, frame in got.out("out")]


def like_the_clear(scene, got, family, bodies):
    """Byte for byte the frames that leave when the packets inside come in the clear."""
    mine = sent(got)
    source, to = INNER[family]
    want = replayed(scene, {"A": {"port": "red", "to": shown(to, 5001)}},
                    fed([ip_packet(body, source, to, 5001) for body in bodies], to))
    check(mine == sent(want), "not what leaves of a clear leg")
    harness.judged_by_tshark(got.outs["out"])


def packets_inside(family, bodies):
    return [ip_packet(body, *INNER[family], 5001) for body in bodies]


@case
def esp_leg_in_a_tunnel_of_scapy_gives_the_frames_of_a_clear_leg(scene):
    bodies = list(clear(COUNT).values())
    for outer, inner, bits, esn, udp in ((4, 4, 128, True, None), (4, 6, 256, True, None),
                                         (6, 4, 256, False, None), (6, 6, 128, False, None),
                                         (4, 4, 256, False, 4500), (4, 6, 128, True, 4500),
                                         (6, 6, 128, True, 4500)):
        more = {"udp_encapsulation": True} if udp else {}
        told, key = told_of(scene, "esp_tunnel", bits=bits, inner=inner, esn=esn, **more)
        packets = by_scapy(key, packets_inside(inner, bodies), outer=OUTER[outer], esn=esn)
        if udp:
            packets = in_udp(packets, outer, udp)
        got = replayed(scene, {"A": leg_of(outer, told, udp or A.port)},
                       fed(packets, OUTER[outer][1]))
        like_the_clear(scene, got, inner, bodies)
        equal((got.leg("A")["opened"], got.drops()), (COUNT, {}), (outer, inner, udp))


@case
def esp_leg_under_tags_and_behind_extension_headers_is_opened(scene):
    bodies = list(clear(COUNT).values())
    told, key = told_of(scene, "esp_tunnel", inner=6)
    sealed = by_scapy(key, packets_inside(6, bodies), outer=OUTER[6])
    source, to = OUTER[6]
    legs = {"A": {**leg_of(6, told), "vlan": "100.7", "from": source}}
    options = [raw(packet[40:], 6, extensions=((0, bytes(6)), (60, bytes(14))))
               for packet in sealed]
    got = replayed(scene, legs, fed(options, to, vlans=(100, 7)))
    like_the_clear(scene, got, 6, bodies)
    equal(got.drops(), {}, "drops")


@case
def esp_leg_of_a_group_has_its_addresses_inside(scene):
    bodies = list(clear(COUNT).values())
    for family in (4, 6):
        source, to = OUTER[family]
        packets = [ip_packet(body, source, to) for body in bodies]
        want = replayed(scene, {"A": {"port": "red", "to": shown(to, A.port)}}, fed(packets, to))
        for profile, outer, udp in (("esp_tunnel_preserve", OUTER[family], None),
                                    ("esp_transport", None, None), ("esp_transport", None, A.port)):
            told, key = told_of(scene, profile)
            sealed = by_scapy(key, packets, outer=outer)
            if udp:
                told["udp_encapsulation"] = True
                sealed = in_udp(sealed, family, udp)
            got = replayed(scene, {"A": {**leg_of(family, told), "from": source}}, fed(sealed, to))
            equal((got.leg("A")["opened"], got.drops()), (COUNT, {}), (profile, family, udp))
            check(sent(got) == sent(want), f"{profile}, {family}: not what leaves of a clear leg")


@case
def esp_leg_in_transport_mode_keeps_options_and_extension_headers_as_the_clear_does(scene):
    bodies = list(clear(100).values())
    for family in (4, 6):
        source, to = OUTER[family]
        more = {"options": b"\x94\x04\0\0"} if family == 4 else {"extensions": ((0, bytes(6)),)}
        header = frames.ipv4 if family == 4 else frames.ipv6
        inside = [frames.udp(body, source, to, A.port, A.port) for body in bodies]
        told, key = told_of(scene, "esp_transport")
        by = sealer(key)
        sealed = [raw(by.seal(n + 1, UDP, one), family, **more) for n, one in enumerate(inside)]
        path = scene.place / "stages.pcapng"
        got = scene.replay(
            scene.pipeline(document({"A": leg_of(family, told)}, {"main": MAIN})),
            {"red": scene.capture("red.pcap", fed(sealed, to))}, {"out": "out.pcap"},
            options=["--capture-stages", path])
        want = replayed(scene, {"A": {"port": "red", "to": shown(to, A.port)}},
                        fed([header(one, source, to, **more) for one in inside], to))
        check(sent(got) == sent(want), f"{family}: not what leaves of a clear leg")
        captured = path.read_bytes()
        check(all(frame in captured
                  for _, frame in fed([header(one, source, to, **more) for one in inside], to)),
              "behind open it is the frame that came in the clear")


@case
def esp_legs_of_one_group_are_told_apart_by_their_spi(scene):
    bodies = list(clear(COUNT).values())
    made, legs = [], {}
    for n, name in enumerate("AB"):
        told, key = told_of(scene, "esp_tunnel", bits=(128, 256)[n], inner=4)
        legs[name] = leg_of(4, {**told, "spi": SPI + n})
        by = Sealer(key, SPI + n) if Sealer else sealer(key)
        made.append([raw(by.seal(i + 1, IP4, packet))
                     for i, packet in enumerate(packets_inside(4, bodies))])
    red = [one for n, one in enumerate(fed(made[0], A.group)) if n % 10 != 3]
    red += [one for n, one in enumerate(fed(made[1], A.group, late_ns=STEP // 2)) if n % 10 != 6]
    got = replayed(scene, legs, red)
    like_the_clear(scene, got, 4, bodies)
    equal([got.leg(name)["opened"] for name in "AB"], [270, 270], "opened")
    equal(got.stream()["recovered"], 60, "recovered")


@case
def esp_leg_and_a_clear_leg_fill_each_others_holes(scene):
    bodies = list(clear(COUNT).values())
    told, key = told_of(scene, "esp_transport")
    sealed = by_scapy(key, [ip_packet(body, *OUTER[4]) for body in bodies], outer=None)
    red = [one for n, one in enumerate(fed(sealed, A.group)) if n % 10 != 3]
    blue = [one for n, one in enumerate(on_leg(B, bodies, late_ns=3 * STEP + 7)) if n % 10 != 6]
    got = replayed(scene, {"A": leg_of(4, told), "B": LEGS["B"]}, red, blue)
    want = replayed(scene, LEGS, on_leg(A, bodies))
    check(sent(got) == sent(want), "not what leaves of a clear leg")
    equal(got.stream()["recovered"], 60, "recovered")


@case
def esp_that_castgate_sends_is_opened_by_castgate(scene):
    bodies = list(clear(COUNT).values())
    for profile, udp in (("esp_tunnel", False), ("esp_tunnel", True),
                         ("esp_tunnel_preserve", False), ("esp_transport", True)):
        _, key = told_of(scene, profile, inner=4)
        (scene.place / "out.key").write_text(key.hex())
        (scene.place / "out.key").chmod(0o600)
        protect = {"profile": profile, "spi": SPI, "key_file": "out.key", "udp_encapsulation": udp}
        inner = {"to": "239.7.0.1:5001", "source": "10.7.0.5"}
        if profile == "esp_tunnel":
            protect["inner"] = inner
        first = replayed(scene, {"A": LEGS["A"]}, on_leg(A, bodies),
                         outputs={"main": {**MAIN, "protect": protect}})
        told = {**protect, "key_file": f"{profile}128.key"}
        legs = {"A": {"port": "red", "to": MAIN["to"], "from": MAIN["source"], "open": told}}
        back = {"main": {**MAIN, "to": "239.9.0.9:5000"}}
        got = replayed(scene, legs, first.out("out"), outputs=back)
        check(payloads(got.out("out")) == bodies, profile)
        equal((got.leg("A")["opened"], got.drops()), (COUNT, {}), profile)
        harness.judged_by_tshark(got.outs["out"])
