# SPDX-License-Identifier: Apache-2.0
"""protect with ESP: opened by tshark, by scapy, and by a receiver written from the RFCs."""
import ipaddress
import os
import pathlib
import subprocess
import sys

import harness
from harness import Skipped, case, check, document, equal

import frames
from protect_cases import fed, key_of
from stream_cases import LEGS, MAIN
from unicast_cases import OUT, by_client

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))
try:
    from esp_judge import Opener
except ImportError:
    Opener = None

SPI = 0x1000
COUNT = 1500
PROFILE = {"profile": "esp_tunnel", "key_file": "s.key", "spi": SPI,
           "inner": {"to": "239.1.0.1:5000", "source": "10.1.0.5"}}


def opener(*arguments, **named):
    if Opener is None:
        raise Skipped("python3-cryptography is not installed")
    return Opener(*arguments, **named)


def bodies(count=COUNT):
    """What fed() sends: numbers and SSRC stay the source's, since nothing is restamped."""
    return [frames.rtp(bytes([n % 251]) * (100 + n % 1200), (65_000 + n) % 65536, 90 * n, 7)
            for n in range(count)]


def replayed(scene, outputs, outs=None, options=(), count=COUNT):
    made = document(LEGS, outputs, ports={"out": OUT, "wan": {}})
    return scene.replay(scene.pipeline(made), fed(scene, count=count), outs or {"out": "out.pcap"},
                        options=options)


def is_datagram(packet, source, to, port, body):
    """A whole IP packet with these addresses and this payload, every checksum right."""
    want = frames.datagram(body, source, to, port)[14:]
    if ipaddress.ip_address(to).version == 6:
        return packet[8:] == want[8:] and packet[4:8] == want[4:7] + b"\x40"
    summed = sum(int.from_bytes(packet[n:n + 2], "big") for n in range(0, 20, 2))
    return (packet[20:] == want[20:] and packet[12:20] == want[12:20]
            and packet[8:10] == b"\x40\x11" and packet[2:4] == want[2:4]
            and (summed & 0xffff) + (summed >> 16) == 0xffff)


@case
def esp_tunnel_opens_to_the_packet_inside_for_every_family_and_key(scene):
    groups = {4: ("239.9.0.1:5000", "10.0.0.9"), 6: ("[ff3e::1]:5000", "2001:db8::9")}
    insides = {4: ("239.7.0.1", "10.7.0.5"), 6: ("ff3e::7", "2001:db8:7::5")}
    for outer, inner, bits, esn in ((4, 4, 128, True), (4, 6, 256, True), (6, 4, 256, False),
                                    (6, 6, 128, False)):
        key = key_of(scene, "s.key", bits // 8 + 4)
        (to, source), (inner_to, inner_source) = groups[outer], insides[inner]
        shown = f"[{inner_to}]" if inner == 6 else inner_to
        protect = {**PROFILE, "key_bits": bits, "esn": esn,
                   "inner": {"to": f"{shown}:5001", "source": inner_source}}
        got = replayed(scene, {"main": {"port": "out", "to": to, "source": source,
                                        "protect": protect}})
        judge = opener(key, SPI, esn=esn)
        header = 34 if outer == 4 else 54
        sent = [frame for _, frame in got.out("out")]
        check(all(frame[23 if outer == 4 else 20] == 50 for frame in sent), "protocol 50")
        opened = [judge.open(frame[header:]) for frame in sent]
        equal({next_header for next_header, _ in opened}, {4 if inner == 4 else 41}, "next header")
        for (_, packet), body in zip(opened, bodies(), strict=True):
            check(is_datagram(packet, inner_source, inner_to, 5001, body),
                  outer, inner, packet[:60].hex())
        equal(got.stream()["crypto_packets"], COUNT, "crypto_packets")
        equal(sorted(judge.nonces)[0], bytes(7) + b"\1", "the first IV")


@case
def esp_tshark_finds_every_icv_good(scene):
    count = 10_000
    key = key_of(scene, "s.key", 20)
    got = replayed(scene, {"main": {**MAIN, "protect": {**PROFILE, "esn": False}}}, count=count)
    association = f'"IPv4","*","*","{SPI:#010x}","AES-GCM with 16 octet ICV [RFC4106]",' \
                  f'"0x{key.hex()}","NULL",""'
    run = subprocess.run(
        ["tshark", "-r", str(got.outs["out"]), "-o", "esp.enable_encryption_decode:TRUE",
         "-o", "esp.enable_authentication_check:TRUE", "-o", f"uat:esp_sa:{association}",
         "-T", "fields", "-e", "esp.icv_good", "-e", "esp.sequence", "-e", "ip.dst",
         "-e", "udp.dstport", "-e", "ip.checksum.status", "-e", "udp.checksum.status",
         "-e", "udp.payload",
         "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"],
        capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    equal(len(rows), count, "packets")
    for n, (row, body) in enumerate(zip(rows, bodies(count))):
        wanted = ["1", str(n + 1), "239.9.0.1,239.1.0.1", "5000", "1,1", "1", body.hex()]
        equal(row, wanted, f"packet {n}")


@case
def esp_tshark_opens_every_epoch(scene):
    keys = [key_of(scene, "one.key", 20, seed=seed) for seed in range(6)]
    os.chmod(scene.file("s.key", "\n".join(key.hex() for key in keys)), 0o600)
    protect = {**PROFILE, "esn": False, "rekey_packets": 500}
    got = replayed(scene, {"main": {**MAIN, "protect": protect}})
    associations = []
    for epoch, key in enumerate(keys):
        associations += ["-o", f'uat:esp_sa:"IPv4","*","*","{SPI + epoch:#010x}",'
                               f'"AES-GCM with 16 octet ICV [RFC4106]","0x{key.hex()}","NULL",""']
    run = subprocess.run(
        ["tshark", "-r", str(got.outs["out"]), "-o", "esp.enable_encryption_decode:TRUE",
         "-o", "esp.enable_authentication_check:TRUE", *associations, "-T", "fields",
         "-e", "esp.icv_good", "-e", "esp.spi", "-e", "esp.sequence", "-e", "udp.payload"],
        capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    equal(len(rows), COUNT, "packets")
    for n, (row, body) in enumerate(zip(rows, bodies(COUNT))):
        epoch = min(n // 500, 5)
        wanted = ["1", f"0x{SPI + epoch:08x}", str(n - 500 * epoch + 1), body.hex()]
        equal(row, wanted, f"packet {n}")


@case
def esp_scapy_opens_extended_numbers(scene):
    key = key_of(scene, "s.key", 36)
    got = replayed(scene, {"main": {**MAIN, "protect": {**PROFILE, "key_bits": 256}}}, count=400)
    run = subprocess.run([SUPPORT / "esp_scapy.py", got.outs["out"], hex(SPI), key.hex(), "0"],
                         capture_output=True, text=True, check=False)
    if "No module named" in run.stderr:
        raise Skipped("python3-scapy is not installed")
    equal(run.returncode, 0, run.stderr[-2000:])
    opened = [bytes.fromhex(line) for line in run.stdout.splitlines()]
    for packet, body in zip(opened, bodies(400), strict=True):
        equal(packet[9], 4, "what the packet outside says that it holds")
        check(is_datagram(packet[20:], "10.1.0.5", "239.1.0.1", 5000, body), packet[:60].hex())
    # Another upper half: nothing opens.
    run = subprocess.run([SUPPORT / "esp_scapy.py", got.outs["out"], hex(SPI), key.hex(), "1"],
                         capture_output=True, text=True, check=False)
    check(run.returncode != 0 and not run.stdout, "opens with a wrong upper half")


@case
def esp_of_groups_keeps_their_addresses(scene):
    for profile, header in (("esp_tunnel_preserve", 4), ("esp_transport", 17)):
        key = key_of(scene, "s.key", 20)
        protect = {"profile": profile, "key_file": "s.key", "spi": SPI}
        vlan = {"vlan": "100.7", "protect": protect, **MAIN}
        got = replayed(scene, {"main": vlan}, count=300)
        judge = opener(key, SPI)
        for (_, frame), body in zip(got.out("out"), bodies(300), strict=True):
            want = frames.datagram(body, "10.0.0.9", "239.9.0.1", 5000)[14:]
            equal(frame[12:22], bytes.fromhex("88a8006481000007") + b"\x08\0", "tags")
            equal(frame[34:42], want[12:20], "addresses outside")
            found, inside = judge.open(frame[42:])
            equal(found, header, "next header")
            if profile == "esp_transport":
                equal(inside, want[20:], "UDP inside")
            else:
                equal((inside[12:], inside[8]), (want[12:], 16), "the packet inside, its TTL")
        harness.judged_by_tshark(got.outs["out"], outer_only=True)


@case
def esp_clients_get_the_groups_ciphertext_in_udp(scene):
    key = key_of(scene, "s.key", 20)
    rows = [f"s,udp,10.9.0.{7 + n % 2},{4500 + n},," for n in range(100)]
    rows += ["s,udp,2001:db8:9::7,4500,,"]
    text = "stream,transport,address,udp_port,join_at,leave_at\n" + "\n".join(rows) + "\n"
    outputs = {"main": {**MAIN, "protect": PROFILE},
               "udp": {**MAIN, "to": "239.9.0.2:4500",
                       "protect": {**PROFILE, "udp_encapsulation": True}},
               "homes": {"port": "out", "unicast": {}, "source_port": 4500, "protect": PROFILE}}
    got = replayed(scene, outputs, options=["--clients", str(scene.file("clients.csv", text))],
                   count=300)
    raw = [frame[34:] for _, frame in got.out("out") if frame[23] == 50]
    judge = opener(key, SPI)
    for (_, packet), body in zip([judge.open(one) for one in raw], bodies(300), strict=True):
        check(is_datagram(packet, "10.1.0.5", "239.1.0.1", 5000, body), packet[:60].hex())
    every = by_client([one for one in got.out("out") if one[1][12:14] != b"\x08\0"
                       or one[1][23] == 17])
    equal(len(every), 102, "receivers over UDP")
    for place, packets in every.items():
        six = packets[0][12:14] != b"\x08\0"
        check([frame[62 if six else 42:] for frame in packets] == raw,
              f"{place} got another ciphertext")
        if not six:
            equal({frame[34:36] + frame[40:42] for frame in packets},
                  {(5000 if place[0] == "239.9.0.1" else 4500).to_bytes(2, "big") + b"\0\0"},
                  "source port; RFC 3948: no checksum")
    equal(got.stream()["crypto_packets"], 300, "crypto_packets")
    harness.judged_by_tshark(got.outs["out"], unsummed=True, outer_only=True)


@case
def esp_spends_its_key_and_no_more(scene):
    key = key_of(scene, "s.key", 20)
    protect = {**PROFILE, "max_packets": 40}
    got = replayed(scene, {"main": {**MAIN, "protect": protect}}, count=100)
    judge = opener(key, SPI)
    for (_, frame), body in zip(got.out("out"), bodies(40), strict=True):
        check(is_datagram(judge.open(frame[34:])[1], "10.1.0.5", "239.1.0.1", 5000, body), frame)
    equal(got.drops()["key_spent"], 60, "key_spent")
    equal(got.stream()["crypto_packets"], 40, "crypto_packets")


@case
def esp_and_srtp_are_captured_as_ciphertext_in_frames_of_right_lengths(scene):
    key_of(scene, "s.key", 20)
    key_of(scene, "t.key", 28)
    outputs = {"main": {**MAIN, "protect": PROFILE},
               "srtp": {**MAIN, "to": "239.9.0.2:5000",
                        "protect": {"profile": "srtp_gcm", "key_file": "t.key"}}}
    made = document(LEGS, outputs, failover={"continuity": "splice"}, ports={"out": OUT, "wan": {}})
    path = scene.place / "stages.pcapng"
    got = scene.replay(scene.pipeline(made), fed(scene, count=300), {"out": "out.pcap"},
                       options=["--capture-stages", path])
    rows = harness.fields(path, ["frame.interface_name", "frame.len", "ip.len", "udp.length",
                                 "udp.checksum"])
    between = [row[1:] for row in rows if row[0] == "restamp"]
    equal(len(between), 600, "packets after protect")
    for length, total, datagram, checksum in between:
        equal((int(total), int(datagram), checksum), (int(length) - 14, int(length) - 34, "0x0000"),
              "lengths, and no UDP checksum")
    sent = [frame for _, frame in got.out("out")]
    clear = [body[12:60] for body in bodies(300)]
    raw = path.read_bytes()
    check(all(frame[34:] in raw for frame in sent if frame[23] == 50), "ESP as it left")
    check(all(frame[42:] in raw for frame in sent if frame[23] == 17), "SRTP as it left")
    equal(sum(body in b"".join(sent) for body in clear), 0, "what left in the clear")
