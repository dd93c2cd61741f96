# SPDX-License-Identifier: Apache-2.0
"""Feeds of numbered messages: each leg packs them in its own way, each message leaves once."""
import shutil
import struct
import subprocess

import capture_file
import harness
from harness import case, check, document, equal

import lossy_pair
import market_data
import market_pair

A = lossy_pair.Leg("10.1.0.5", "239.1.0.1", 5000)
B = lossy_pair.Leg("10.2.0.5", "239.2.0.1", 5002)
LEGS = {"A": {"port": "red", "to": "239.1.0.1:5000"}, "B": {"port": "blue", "to": "239.2.0.1:5002"}}
MAIN = {"port": "out", "to": "239.9.0.1:5000", "source": "10.0.0.9"}


def udp_payload(frame):
    """Of a frame of ours: no tags, no options. Both checksums must be right."""
    ip = frame[14:]
    equal(market_pair.frames.checksum16(ip[:20]), 0, "sum over the IP header")
    udp = ip[20:struct.unpack_from(">H", ip, 2)[0]]
    equal(struct.unpack_from(">H", udp, 4)[0], len(udp), "UDP length")
    pseudo = ip[12:20] + struct.pack(">HH", 17, len(udp))
    equal(market_pair.frames.checksum16(pseudo + udp), 0, "sum over the UDP datagram")
    return udp[8:]


def mold_messages(payload):
    number, count = struct.unpack_from(">QH", payload, 10)
    return number, blocks(payload, 20, count, ">H")


def iex_messages(payload):
    size, count = struct.unpack_from("<HH", payload, 12)
    equal(size, len(payload) - 40, "IEX-TP payload length")
    return struct.unpack_from("<q", payload, 24)[0], blocks(payload, 40, count, "<H")


def blocks(payload, at, count, length):
    texts = []
    for _ in range(count):
        size = struct.unpack_from(length, payload, at)[0]
        texts.append(payload[at + 2:at + 2 + size])
        at += 2 + size
    equal(at, len(payload), "end of the last message")
    return texts


def read_back(path, feed):
    """({number: text}, the numbers in their order, heartbeats) of a capture."""
    texts, order, heartbeats = {}, [], 0
    read = mold_messages if feed.protocol == "moldudp64" else iex_messages
    for _, frame in capture_file.read_pcap(path):
        number, messages = read(udp_payload(frame))
        heartbeats += not messages
        for place, text in enumerate(messages):
            texts[number + place] = text
            order.append(number + place)
    return texts, order, heartbeats


def merged(scene, feed, packings, *, failover=None, sequence=None):
    came, ins = set(), {}
    for (port, leg), packing in zip((("red", A), ("blue", B)), packings):
        packets, numbers = market_pair.leg_packets(feed, leg, packing, port)
        ins[port] = scene.capture(f"{port}.pcap", packets)
        came |= numbers
    pipeline = scene.pipeline(document(LEGS, {"main": MAIN}, sequence=sequence or feed.protocol,
                                       failover={"max_rate": "100kpps", **(failover or {})}))
    got = scene.replay(pipeline, ins, {"out": "out.pcap"})
    return got, came


def both_protocols(scene, failover, in_order):
    for protocol in ("moldudp64", "iex_tp"):
        feed = market_pair.Feed(6000, first=1 << 40, protocol=protocol)
        got, came = merged(scene, feed, (market_pair.Packing(4, loss=0.05),
                                         market_pair.Packing(10, loss=0.05, skew_ns=2_000_000)),
                           failover=failover)
        texts, order, heartbeats = read_back(scene.place / "out.pcap", feed)
        equal(sorted(order), sorted(came), f"{protocol}: messages out, each once")
        if in_order:
            equal(order, sorted(order), f"{protocol}: their order")
        check(all(text == feed.text(number - feed.first) for number, text in texts.items()),
              f"{protocol}: a message's text changed")
        check(len(came) < feed.messages, "nothing was lost on both legs")
        equal(got.stream()["unrecovered"], feed.messages - len(came), f"{protocol}: unrecovered")
        equal(heartbeats, feed.messages // market_pair.PAUSE_AFTER - 1, f"{protocol}: heartbeats")


@case
def messages_leave_once_and_in_order_however_legs_pack_them(scene):
    both_protocols(scene, {}, True)


@case
def messages_leave_once_in_arrival_order(scene):
    both_protocols(scene, {"release": "arrival"}, False)


@case
def untrimmed_packets_are_those_of_a_leg_byte_for_byte(scene):
    feed = market_pair.Feed(3000)
    _, came = merged(scene, feed, (market_pair.Packing(3, loss=0.05),
                                   market_pair.Packing(7, loss=0.05, skew_ns=1_000_000)),
                     sequence={"format": "moldudp64", "overlap": "pass"})
    sent = {udp_payload(frame) for port in ("red", "blue")
            for _, frame in capture_file.read_pcap(scene.place / f"{port}.pcap")}
    out = [udp_payload(frame) for _, frame in capture_file.read_pcap(scene.place / "out.pcap")]
    check(set(out) <= sent, "a packet that no leg brought")
    equal({n for payload in out for n in numbers(payload)}, came, "messages out")


def numbers(payload):
    number, messages = mold_messages(payload)
    return range(number, number + len(messages))


@case
def packets_with_a_number_of_ones_own_are_merged_by_it(scene):
    """A made-up protocol: 24 bits little-endian at 5, a session byte at 0."""
    def packets(leg, without, late_ns):
        return [(lossy_pair.START + n * 1_000_000 + late_ns,
                 market_pair.datagram(b"S\0\0\0\0" + (0xFFFF80 + n & 0xFFFFFF).to_bytes(3, "little")
                                      + b"text %d" % n, leg, n))
                for n in range(400) if n not in without]
    sequence = {"format": "generic", "position": {"at": 5, "width": 3, "endian": "little"},
                "epoch": {"at": 0, "width": 1}}
    pipeline = scene.pipeline(document(LEGS, {"main": MAIN}, sequence=sequence))
    ins = {"red": scene.capture("red.pcap", packets(A, {100, 200}, 0)),
           "blue": scene.capture("blue.pcap", packets(B, {127, 128, 200}, 300_000))}
    got = scene.replay(pipeline, ins, {"out": "out.pcap"})
    texts = [udp_payload(frame)[8:] for _, frame in got.out("out")]
    equal(texts, [b"text %d" % n for n in range(400) if n != 200], "payloads out")
    equal(got.stream()["unrecovered"], 1, "unrecovered")


@case
def cme_packets_are_numbered_in_32_bits_little_endian(scene):
    def packets(leg, without, late_ns):
        return [(lossy_pair.START + n * 1_000_000 + late_ns,
                 market_pair.datagram(struct.pack("<IQ", 0xFFFFFFF0 + n & 0xFFFFFFFF, n)
                                      + b"x" * 30, leg, n))
                for n in range(300) if n not in without]
    pipeline = scene.pipeline(document(LEGS, {"main": MAIN}, sequence="cme_mdp3"))
    ins = {"red": scene.capture("red.pcap", packets(A, {14, 15, 16, 17}, 0)),
           "blue": scene.capture("blue.pcap", packets(B, {150}, 500_000))}
    got = scene.replay(pipeline, ins, {"out": "out.pcap"})
    order = [struct.unpack_from("<Q", udp_payload(frame), 4)[0] for _, frame in got.out("out")]
    equal(order, list(range(300)), "packets out")


@case
def cme_numbers_that_begin_at_1_again_lose_nothing(scene):
    """As each week: nothing but the number says it, and legs restart 4 ms apart."""
    def packets(leg, without, late_ns, late_then_ns):
        return [(lossy_pair.START + n * 1_000_000 + (late_ns if n < 200 else late_then_ns),
                 market_pair.datagram(struct.pack("<IQ", 700_000_000 + n if n < 200 else n - 199, n)
                                      + b"x" * 30, leg, n))
                for n in range(400) if n not in without]
    pipeline = scene.pipeline(document(LEGS, {"main": MAIN}, sequence="cme_mdp3"))
    ins = {"red": scene.capture("red.pcap", packets(A, {50, 250}, 0, 0)),
           "blue": scene.capture("blue.pcap", packets(B, {150, 350}, 500_000, 4_500_000))}
    got = scene.replay(pipeline, ins, {"out": "out.pcap"})
    order = [struct.unpack_from("<Q", udp_payload(frame), 4)[0] for _, frame in got.out("out")]
    equal(order, list(range(400)), "packets out")
    equal((got.stream()["restarts"], got.stream()["unrecovered"]), (1, 0), "restarts, unrecovered")


@case
def packets_without_room_for_their_messages_are_malformed_and_the_other_leg_fills_in(scene):
    feed = market_pair.Feed(2000)
    red, _ = market_pair.leg_packets(feed, A, market_pair.Packing(4), "red")
    blue, _ = market_pair.leg_packets(feed, B, market_pair.Packing(4), "blue")
    broken = 0
    for place, (when, frame) in enumerate(red):
        if place % 50 == 30 and mold_messages(udp_payload(frame))[1]:
            payload = bytearray(udp_payload(frame))
            payload[18] = 0x40  # thousands of messages
            red[place] = (when, market_pair.datagram(bytes(payload), A, place))
            broken += 1
    pipeline = scene.pipeline(document(LEGS, {"main": MAIN}, sequence="moldudp64",
                                       failover={"max_rate": "100kpps"}))
    ins = {"red": scene.capture("red.pcap", red), "blue": scene.capture("blue.pcap", blue)}
    got = scene.replay(pipeline, ins, {"out": "out.pcap"})
    check(broken > 10, "too few packets are broken")
    equal(got.drops()["malformed"], broken, "malformed")
    _, order, _ = read_back(scene.place / "out.pcap", feed)
    equal(order, list(range(1, 2001)), "messages out")


@case
def tshark_reads_trimmed_packets_as_moldudp64(scene):
    if shutil.which("tshark") is None:
        raise harness.Skipped("tshark is not installed")
    feed = market_pair.Feed(2000)
    _, came = merged(scene, feed, (market_pair.Packing(2, loss=0.05),
                                   market_pair.Packing(9, loss=0.05, skew_ns=500_000)))
    fields = ("moldudp64.msgseq", "udp.checksum.status", "moldudp64.msglen.invalid")
    run = subprocess.run(["tshark", "-r", scene.place / "out.pcap", "-d",
                          "udp.port==5000,moldudp64", "-o", "udp.check_checksum:TRUE", "-T",
                          "fields", *(word for field in fields for word in ("-e", field))],
                         capture_output=True, text=True, check=True)
    order = []
    for line in run.stdout.splitlines():
        found, status, malformed = line.split("\t")
        equal((status, malformed), ("1", ""), "checksum status and complaints of tshark")
        order += [int(number) for number in found.split(",") if number]
    equal(order, sorted(came), "numbers that tshark sees")


@case
def example_market_data_sends_each_message_of_two_lines_once(scene):
    feed, line_a, line_b, came = market_data.demonstration(8000, 7)
    ins = {"a": scene.capture("a.pcap", line_a), "b": scene.capture("b.pcap", line_b)}
    example = harness.ROOT / "pipelines" / "market_data.yaml"
    got = scene.replay(example, ins, {"out": "out.pcap"})
    _, order, heartbeats = read_back(scene.place / "out.pcap", feed)
    equal(sorted(order), sorted(came), "messages out, each once")
    equal(heartbeats, feed.messages // market_pair.PAUSE_AFTER - 1, "heartbeats")
    equal(got.stream("quotes")["unrecovered"], feed.messages - len(came), "unrecovered")
    check(0 < feed.messages - len(came) < 100, "the lines cover each other")
