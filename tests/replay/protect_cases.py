# SPDX-License-Identifier: Apache-2.0
"""protect: what leaves encrypted, opened by a receiver written from the RFCs."""
import os
import pathlib
import sys

import harness
from harness import Skipped, case, check, document, equal

import examples
import frames
from stream_cases import A, B, LEGS, MAIN, at
from unicast_cases import OUT, by_client

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
try:
    from srtp_judge import Keyring, Receiver
except ImportError:
    Receiver = None

SSRC = 0xCA57CA57
COUNT = 3000


def receiver(*arguments, **named):
    if Receiver is None:
        raise Skipped("python3-cryptography is not installed")
    return Receiver(*arguments, **named)


def key_of(scene, name, length, seed=1):
    """A key file that only its owner may read, and its bytes."""
    key = bytes((seed * 37 + n * 11) % 256 for n in range(length))
    path = scene.file(name, key.hex() + "\n")
    os.chmod(path, 0o600)
    return key


def fed(scene, count=COUNT, first=65_000, lost=()):
    """One RTP stream on both legs through a wrap of its numbers; either leg loses some."""
    sides = []
    for side, leg in enumerate((A, B)):
        sides.append(scene.capture(f"{side}.pcap", [
            (at(n, late_ns=side * 300_000), frames.datagram(
                frames.rtp(bytes([n % 251]) * (100 + n % 1200), (first + n) % 65536, 90 * n, 7),
                leg.source, leg.group, leg.port))
            for n in range(count) if (n % 50 != 3 + side) and n not in lost]))
    return dict(zip(("red", "blue"), sides))


def clear(count=COUNT, first=65_000, lost=()):
    return [frames.rtp(bytes([n % 251]) * (100 + n % 1200), (first + n) % 65536, 90 * n, SSRC)
            for n in range(count) if n not in lost]


def sealed(scene, outputs, **more):
    return scene.pipeline(document(LEGS, outputs, failover={"continuity": "splice"},
                                   ports={"out": OUT, "wan": {}}, **more))


def with_ssrc(made):
    made["streams"]["s"]["restamp"] = {"ssrc": SSRC}
    return made


def replayed(scene, outputs, outs=None, options=(), **feed):
    made = document(LEGS, outputs, failover={"continuity": "splice"},
                    ports={"out": OUT, "wan": {}})
    return scene.replay(scene.pipeline(with_ssrc(made)), fed(scene, **feed),
                        outs or {"out": "out.pcap"}, options=options)


def payloads(packets):
    return [frame[42:] for _, frame in packets]


@case
def protect_each_profile_opens_to_what_was_sent_through_a_wrap(scene):
    for profile, bits, tag in (("srtp_gcm", 128, None), ("srtp_gcm", 256, None),
                               ("srtp_cm", 128, 80), ("srtp_cm", 128, 32), ("srtp_cm", 256, 80)):
        salt = 12 if profile == "srtp_gcm" else 14
        key = key_of(scene, "s.key", bits // 8 + salt)
        protect = {"profile": profile, "key_bits": bits, "key_file": "s.key"}
        if tag:
            protect["tag_bits"] = tag
        got = replayed(scene, {"main": {**MAIN, "protect": protect}})
        judge = receiver(key[:bits // 8], key[bits // 8:], profile, tag=(tag or 80) // 8)
        opened = [judge.open(packet) for packet in payloads(got.out("out"))]
        check(opened == clear(), f"{profile} {bits} {tag}: not what was sent")
        equal(got.stream()["crypto_packets"], COUNT, "crypto_packets")
        harness.judged_by_tshark(got.outs["out"], unsummed=True)


@case
def protect_clear_and_sealed_outputs_live_side_by_side(scene):
    key = key_of(scene, "s.key", 28)
    other = key_of(scene, "t.key", 30, seed=2)
    gcm = {"profile": "srtp_gcm", "key_file": "s.key"}
    cm = {"profile": "srtp_cm", "key_file": "t.key"}
    to = {"source": "10.9.0.1"}
    outputs = {"c": {"port": "wan", "to": "239.9.0.3:5000", "protect": cm, **to},
               "a": {"port": "out", "to": "239.9.0.1:5000", **to},
               "b": {"port": "wan", "to": "239.9.0.2:5000", "protect": gcm, **to},
               "d": {"port": "wan", "to": "239.9.0.4:5000", "protect": gcm, **to}}
    got = replayed(scene, outputs, {"out": "out.pcap", "wan": "wan.pcap"})
    equal(payloads(got.out("out")), clear(), "in the clear")
    groups = {n: [] for n in (2, 3, 4)}
    for _, frame in got.out("wan"):
        groups[frame[33]].append(frame[42:])
    judge = receiver(key[:16], key[16:], "srtp_gcm")
    check([judge.open(packet) for packet in groups[2]] == clear(), "srtp_gcm")
    check(groups[4] == groups[2], "one ciphertext for both groups")
    judge = receiver(other[:16], other[16:], "srtp_cm")
    check([judge.open(packet) for packet in groups[3]] == clear(), "srtp_cm")
    equal(got.stream()["crypto_packets"], 2 * COUNT, "crypto_packets: once for each key")


@case
def protect_clients_get_the_groups_ciphertext(scene):
    key = key_of(scene, "s.key", 28)
    protect = {"profile": "srtp_gcm", "key_file": "s.key"}
    rows = [f"s,udp,10.9.0.{7 + n % 2},{6000 + n},," for n in range(200)]
    rows += ["s,udp,2001:db8:9::7,6000,,"]
    text = "stream,transport,address,udp_port,join_at,leave_at\n" + "\n".join(rows) + "\n"
    outputs = {"main": {**MAIN, "protect": protect},
               "homes": {"port": "out", "unicast": {}, "protect": protect}}
    got = replayed(scene, outputs, options=["--clients", str(scene.file("clients.csv", text))],
                   count=300)
    judge = receiver(key[:16], key[16:], "srtp_gcm")
    every = by_client(got.out("out"))
    equal(len(every), 202, "receivers")
    wanted = None
    for place, packets in every.items():
        inner = [frame[42 if frame[12:14] == b"\x08\0" else 62:] for frame in packets]
        wanted = wanted or inner
        check(inner == wanted, f"{place} got another ciphertext")
    check([judge.open(packet) for packet in wanted] == clear(300), "what it holds")
    equal(got.stream()["crypto_packets"], 300, "crypto_packets")
    harness.judged_by_tshark(got.outs["out"], unsummed=True)


@case
def protect_epochs_follow_each_other_without_a_packet_lost(scene):
    for profile, size in (("srtp_gcm", 28), ("srtp_cm", 30)):
        keys = {epoch: key_of(scene, "one.key", size, seed=epoch) for epoch in range(5, 12)}
        text = "5: " + "\n".join(key.hex() for key in keys.values()) + "\n"
        os.chmod(scene.file("s.key", text), 0o600)
        # A packet every millisecond.
        for soft, each in (({"rekey_packets": 600}, 600), ({"rekey_time": "700ms"}, 700)):
            protect = {"profile": profile, "key_file": "s.key", "mki_bytes": 2, **soft}
            got = replayed(scene, {"main": {**MAIN, "protect": protect}})
            receiver(keys[5][:16], keys[5][16:], profile)
            judge = Keyring(keys, profile, 2)
            opened = [judge.open(packet) for packet in payloads(got.out("out"))]
            check(opened == clear(), f"{profile} {soft}: not what was sent")
            equal(judge.epochs, sorted(judge.epochs), f"{profile} {soft}")
            # A packet that comes from the other leg comes a little later.
            for epoch in range(5, 5 + COUNT // each):
                check(abs(judge.epochs.count(epoch) - each) <= (0 if each == 600 else 2),
                      f"{profile} {soft}: {judge.epochs.count(epoch)} of epoch {epoch}")


@case
def protect_clients_get_their_packets_beside_groups_of_every_other_kind(scene):
    """The group that shares the clients' ciphertext is one, and plain: the shortest way."""
    key = key_of(scene, "s.key", 28)
    other = key_of(scene, "t.key", 30, seed=2)
    gcm = {"profile": "srtp_gcm", "key_file": "s.key"}
    to = {"source": "10.9.0.1", "port": "out"}
    clients = scene.file("clients.csv", "stream,transport,address,udp_port,join_at,leave_at\n"
                                        "s,udp,10.9.0.7,6000,,\n")
    beside = {"clear": {}, "sealed": {"protect": {"profile": "srtp_cm", "key_file": "t.key"}}}
    for name, more in beside.items():
        got = replayed(scene, {"a": {"to": "239.9.0.1:5000", "protect": gcm, **to},
                               "b": {"to": "239.9.0.2:5000", **more, **to},
                               "homes": {"port": "out", "unicast": {}, "protect": gcm}},
                       options=["--clients", str(clients)], count=300)
        every = {place[0]: [frame[42:] for frame in packets]
                 for place, packets in by_client(got.out("out")).items()}
        equal(sorted(every), ["10.9.0.7", "239.9.0.1", "239.9.0.2"], name)
        judge = receiver(key[:16], key[16:], "srtp_gcm")
        equal([judge.open(packet) for packet in every["10.9.0.7"]], clear(300), name)
        equal(every["239.9.0.1"], every["10.9.0.7"], name)
        if more:
            judge = receiver(other[:16], other[16:], "srtp_cm")
            every["239.9.0.2"] = [judge.open(packet) for packet in every["239.9.0.2"]]
        equal(every["239.9.0.2"], clear(300), name)


@case
def protect_crypto_devices_make_the_bytes_that_workers_make(scene):
    key_of(scene, "s.key", 28)
    key_of(scene, "t.key", 36, seed=2)
    rows = "".join(f"s,udp,10.9.0.7,{6000 + n},,\n" for n in range(20))
    clients = scene.file("clients.csv",
                         "stream,transport,address,udp_port,join_at,leave_at\n" + rows)
    made = {}
    for device in (None, "crypto_openssl0", "crypto_aesni_gcm0", "crypto_aesni_mb0"):
        backend = {"backend": "cryptodev"} if device else {}
        gcm = {"profile": "srtp_gcm", "key_file": "s.key", **backend}
        esp = {"profile": "esp_tunnel", "key_file": "t.key", "key_bits": 256, "spi": 4096,
               "inner": {"to": "239.1.0.1:5000", "source": "10.1.0.5"}, **backend}
        to = {"source": "10.9.0.1", "port": "out"}
        document_ = with_ssrc(document(
            LEGS, {"a": {"to": "239.9.0.1:5000", "protect": gcm, **to},
                   "b": {"to": "239.9.0.2:5000", "protect": esp, **to},
                   "homes": {"port": "out", "unicast": {}, "protect": gcm}},
            failover={"continuity": "splice"}, ports={"out": OUT, "wan": {}}))
        if device:
            document_["appliance"] = {"crypto_device": device}
        got = scene.replay(scene.pipeline(document_), fed(scene, count=600), {"out": "out.pcap"},
                           options=["--clients", str(clients)])
        ways = {}
        for _, frame in got.out("out"):
            ways.setdefault(bytes(frame[30:38]), []).append(bytes(frame))
        equal(len(ways), 22, "ways")
        made[device] = ways
        equal(got.stream()["crypto_packets"], 1200, "crypto_packets")
        check(made[device] == made[None], f"{device}: other bytes than the worker's")


@case
def protect_clients_get_their_packets_beside_outputs_that_leave_otherwise(scene):
    key = key_of(scene, "s.key", 28)
    protect = {"profile": "srtp_gcm", "key_file": "s.key"}
    text = "stream,transport,address,udp_port,join_at,leave_at\ns,udp,10.9.0.7,6000,,\n"
    clients = ["--clients", str(scene.file("clients.csv", text))]
    plain = {"port": "out", "to": "239.9.0.3:5000", "source": "10.0.0.9"}
    for sealed in (True, False):
        how = {"protect": protect} if sealed else {}
        outputs = {"main": {**MAIN, "protect": protect}, "plain": plain,
                   "homes": {"port": "out", "unicast": {}, **how}}
        got = replayed(scene, outputs, options=clients, count=300)
        every = by_client(got.out("out"))
        beside = every["239.9.0.1" if sealed else "239.9.0.3", 5000]
        equal(payloads((0, frame) for frame in every["10.9.0.7", 6000]),
              payloads((0, frame) for frame in beside), f"sealed: {sealed}")
        judge = receiver(key[:16], key[16:], "srtp_gcm")
        check([judge.open(frame[42:]) for frame in every["239.9.0.1", 5000]] == clear(300),
              "the sealed group")


@case
def protect_refuses_keys_that_others_may_read_or_that_are_none(scene):
    protect = {"profile": "srtp_gcm", "key_file": "s.key"}
    made = with_ssrc(document(LEGS, {"main": {**MAIN, "protect": protect}},
                              failover={"continuity": "splice"}))
    secret = bytes(range(28)).hex()
    for text, mode, why in ((secret, 0o640, "chmod 600"), (secret, 0o644, "chmod 600"),
                            (secret[:-2], 0o600, "28 bytes"),
                            ("", 0o600, "holds no key"), (secret[:-1] + "x", 0o600, "28 bytes"),
                            (secret * 2000, 0o600, "longer than")):
        path = scene.file("s.key", text)
        os.chmod(path, mode)
        got = scene.run(scene.pipeline(made), fed(scene, count=10), {"out": "out.pcap"})
        equal(got.code, 2, "exit code")
        check(why in got.stderr and "s.key" in got.stderr, why, got.stderr)
        check(secret[:8] not in got.stderr, "the key is told")
    os.remove(path)
    got = scene.run(scene.pipeline(made), fed(scene, count=10), {"out": "out.pcap"})
    check(got.code == 2 and "No such file" in got.stderr, got.stderr)


@case
def protect_example_sealed_opens_and_its_studio_output_is_clear(scene):
    sides, left, key = examples.sealed()
    os.chmod(scene.file("news1.key", key.hex()), 0o600)
    ins = {port: scene.capture(f"{port}.pcap", packets)
           for port, packets in zip(("red", "blue"), sides)}
    got = scene.replay(harness.ROOT / "pipelines" / "sealed.yaml", ins,
                       {"lan": "lan.pcap", "wan": "wan.pcap"},
                       options=["--keys", str(scene.place)])
    equal([packet[12:] for packet in payloads(got.out("lan"))], left, "studio")
    judge = receiver(key[:16], key[16:], "srtp_gcm")
    equal([judge.open(packet)[12:] for packet in payloads(got.out("wan"))], left, "region")
