# SPDX-License-Identifier: Apache-2.0
"""Streams to clients that join: each gets every packet while it is there, whole and in order."""
import collections
import ipaddress
import random

import harness
from harness import case, check, document, equal

import frames
import lossy_pair

LEG = lossy_pair.Leg("10.1.0.5", "239.1.0.1", 5000)
STEP = 1_000_000  # ns between packets
OUT = {"addresses": ["10.9.0.1/16", "2001:db8:9::1/64"], "gateway": "10.9.255.254",
       "neighbours": {"10.9.0.7": "02:00:00:00:09:07", "10.9.0.8": "02:00:00:00:09:08",
                      "10.9.255.254": "02:00:00:00:09:fe", "2001:db8:9::7": "02:00:00:00:06:07"}}
OUR_MAC = "02:00:00:00:00:03"


def bodies(count, length=1316, seed=5):
    rng = random.Random(seed)
    return [frames.rtp(rng.randbytes(length - 12), n, 90 * n) for n in range(count)]


def fed(scene, payloads, *, tos=0x88, **udp):
    return {"red": scene.capture("red.pcap", [
        (lossy_pair.START + n * STEP,
         frames.datagram(body, LEG.source, LEG.group, LEG.port, ip={"ttl": 8, "tos": tos},
                         udp_fields=udp))
        for n, body in enumerate(payloads)])}


def to_client(body, address, port, mac, ident, *, vlans=(), tos=0x88, source=None, checksum=None,
              source_port=5000):
    """The frame that a client must get; `ident` counts its packets."""
    v4 = ipaddress.ip_address(address).version == 4
    source = source or ("10.9.0.1" if v4 else "2001:db8:9::1")
    segment = frames.udp(body, source, address, source_port, port, checksum=checksum)
    packet = frames.ipv4(segment, source, address, ttl=64, tos=tos, ident=ident) if v4 else \
        frames.ipv6(segment, source, address, hop_limit=64, traffic_class=tos)
    return frames.ethernet(packet, mac, OUR_MAC, vlans)


def pipeline(scene, unicast=None, *, port=None, more=None, output=None):
    outputs = {"homes": {"port": "out", "unicast": unicast or {}, **(output or {})}, **(more or {})}
    return scene.pipeline(document({"A": {"port": "red", "to": "239.1.0.1:5000"}}, outputs,
                                   ports={"out": {**OUT, **(port or {})}}))


def listed(scene, rows, name="clients.csv"):
    text = "stream,transport,address,udp_port,join_at,leave_at\n" + "\n".join(rows) + "\n"
    return ["--clients", str(scene.file(name, text))]


def by_client(packets):
    """Frames of a capture by IP destination and UDP port, in their order."""
    sorted_out = collections.defaultdict(list)
    for _, frame in packets:
        at = 14
        while frame[at - 2:at] in (b"\x81\x00", b"\x88\xa8"):
            at += 4
        six = frame[at] >> 4 == 6
        address = ipaddress.ip_address(frame[at + 24:at + 40] if six else frame[at + 16:at + 20])
        udp = at + (40 if six else 20)
        sorted_out[str(address), int.from_bytes(frame[udp + 2:udp + 4], "big")].append(frame)
    return sorted_out


@case
def each_client_gets_every_packet_with_its_own_headers(scene):
    payloads = bodies(200)
    rows = ["s,udp,10.9.0.7,6000,,", "s.homes,udp,10.9.0.8,7000,,", "s,udp,10.9.0.7,6001,,",
            "s,udp,192.0.2.9,5004,,", "s,udp,2001:db8:9::7,6000,,"]
    got = scene.replay(pipeline(scene), fed(scene, payloads), {"out": "out.pcap"},
                       options=listed(scene, rows))
    sent = by_client(got.out("out"))
    wanted = {("10.9.0.7", 6000): "02:00:00:00:09:07", ("10.9.0.8", 7000): "02:00:00:00:09:08",
              ("10.9.0.7", 6001): "02:00:00:00:09:07", ("192.0.2.9", 5004): "02:00:00:00:09:fe",
              ("2001:db8:9::7", 6000): "02:00:00:00:06:07"}
    equal(set(sent), set(wanted), "who got packets")
    for (address, port), mac in wanted.items():
        equal(sent[address, port],
              [to_client(body, address, port, mac, n) for n, body in enumerate(payloads)],
              f"frames of {address}:{port}")
    harness.judged_by_tshark(got.outs["out"])
    equal([one["packets"] for one in got.report["clients"]], [200] * 5, "clients' counters")
    equal([one["bytes"] for one in got.report["clients"]],
          [200 * (1316 + 42)] * 4 + [200 * (1316 + 62)], "clients' bytes")
    unicast = got.stream()["unicasts"][0]
    equal((unicast["clients"], unicast["packets"], unicast["drops"]), (5, 1000, 0), "the output")


@case
def copied_and_shared_payloads_are_the_same_bytes(scene):
    payloads = [body[:12 + (37 * n) % 1300] for n, body in enumerate(bodies(120))]
    rows = [f"s,udp,10.9.0.{host},{port},," for host in (7, 8) for port in range(6000, 6040)]
    outs = {}
    for threshold in (0, 300, 65535):
        got = scene.replay(pipeline(scene, {"copy_threshold": threshold}), fed(scene, payloads),
                           {"out": f"{threshold}.pcap"}, options=listed(scene, rows))
        outs[threshold] = got.out("out")
    check(outs[0] == outs[300] == outs[65535], "what leaves depends on how it is made")
    equal(len(outs[0]), 120 * 80, "packets out")
    harness.judged_by_tshark(scene.place / "300.pcap")


@case
def client_gets_what_comes_between_joining_and_leaving(scene):
    payloads = bodies(100, 200)
    rows = ["s,udp,10.9.0.7,6000,,", "s,udp,10.9.0.7,6001,20ms,50ms", "s,udp,10.9.0.7,6002,30ms,",
            "s,udp,10.9.0.7,6003,50ms,80ms", "s,udp,10.9.0.7,6001,70ms,90ms"]
    got = scene.replay(pipeline(scene, {"max_clients": 4}), fed(scene, payloads),
                       {"out": "out.pcap"}, options=listed(scene, rows))
    sent = by_client(got.out("out"))
    numbers = {port: [int.from_bytes(frame[44:46], "big") for frame in sent["10.9.0.7", port]]
               for port in range(6000, 6004)}
    equal(numbers[6000], list(range(100)), "who stays")
    equal(numbers[6001], [*range(20, 50), *range(70, 90)], "who comes twice")
    equal(numbers[6002], list(range(30, 100)), "who comes late")
    equal(numbers[6003], list(range(50, 80)), "who takes a place that was left")
    equal([one["packets"] for one in got.report["clients"]], [100, 30, 70, 30, 20], "counters")


@case
def groups_and_clients_get_the_same_packets(scene):
    payloads = bodies(150)
    more = {"main": {"port": "blue", "to": "239.9.0.1:5000", "source": "10.0.0.9"},
            "second": {"port": "out", "vlan": 7, "to": "239.9.0.2:5000", "source": "10.0.0.9"}}
    got = scene.replay(pipeline(scene, more=more), fed(scene, payloads),
                       {"out": "out.pcap", "blue": "blue.pcap"},
                       options=listed(scene, ["s,udp,10.9.0.7,6000,50ms,100ms"]))
    equal(harness.rtp_numbers(got.out("blue")), list(range(150)), "the first group")
    sent = by_client(got.out("out"))
    equal(len(sent["239.9.0.2", 5000]), 150, "the second group")
    equal([int.from_bytes(frame[44:46], "big") for frame in sent["10.9.0.7", 6000]],
          list(range(50, 100)), "the client")
    harness.judged_by_tshark(got.outs["out"])
    harness.judged_by_tshark(got.outs["blue"])


@case
def stream_that_nobody_joined_is_dropped_by_name(scene):
    got = scene.replay(pipeline(scene), fed(scene, bodies(50)), {"out": "out.pcap"},
                       options=listed(scene, ["s,udp,10.9.0.7,6000,10ms,20ms"]))
    equal(len(got.out("out")), 10, "packets out")
    equal(got.drops(), {"no_client": 40}, "drops")


@case
def client_without_a_way_or_with_a_short_mtu_loses_alone(scene):
    rows = ["s,udp,10.9.0.7,6000,,", "s,udp,10.9.1.1,6000,,"]
    payloads = [body if n >= 30 else body[:1000] for n, body in enumerate(bodies(40))]
    got = scene.replay(pipeline(scene, port={"mtu": 1200}), fed(scene, payloads),
                       {"out": "out.pcap"}, options=listed(scene, rows))
    equal(len(got.out("out")), 30, "packets out")
    equal(got.drops(), {"mtu": 10, "no_neighbour": 40}, "drops")
    none = dict.fromkeys(("tx_full", "mtu", "no_neighbour", "copy_failed", "quota", "ttl_expired",
                          "not_sealed"), 0)
    equal([one["drops"] for one in got.report["clients"]],
          [{**none, "mtu": 10}, {**none, "no_neighbour": 40}], "whose drops")


@case
def vlan_ttl_dscp_source_and_port_are_the_outputs(scene):
    payloads = bodies(20)
    output = {"vlan": "100.43", "ttl": 3, "dscp": 10, "source": "198.51.100.1", "source_port": 999}
    got = scene.replay(pipeline(scene, output=output), fed(scene, payloads), {"out": "out.pcap"},
                       options=listed(scene, ["s,udp,10.9.0.7,6000,,"]))
    segment = [frames.udp(body, "198.51.100.1", "10.9.0.7", 999, 6000) for body in payloads]
    wanted = [frames.ethernet(frames.ipv4(one, "198.51.100.1", "10.9.0.7", ttl=3, tos=40, ident=n),
                              "02:00:00:00:09:07", OUR_MAC, (100, 43))
              for n, one in enumerate(segment)]
    equal([frame for _, frame in got.out("out")], wanted, "frames")


@case
def stream_without_udp_checksums_stays_so_over_ipv4_and_has_them_over_ipv6(scene):
    payloads = bodies(20)
    rows = ["s,udp,10.9.0.7,6000,,", "s,udp,2001:db8:9::7,6000,,"]
    got = scene.replay(pipeline(scene), fed(scene, payloads, checksum=0), {"out": "out.pcap"},
                       options=listed(scene, rows))
    sent = by_client(got.out("out"))
    equal(sent["10.9.0.7", 6000], [to_client(body, "10.9.0.7", 6000, "02:00:00:00:09:07", n,
                                             checksum=0) for n, body in enumerate(payloads)], "v4")
    equal(sent["2001:db8:9::7", 6000],
          [to_client(body, "2001:db8:9::7", 6000, "02:00:00:00:06:07", n)
           for n, body in enumerate(payloads)], "v6")


@case
def ten_thousand_clients_get_every_packet_in_order(scene):
    """Headers and counters of each client, and the payloads of each, by a reader of our own."""
    count, packets = 10_000, 12
    payloads = bodies(packets, 300)
    clients = [(f"10.9.{2 + n // 250}.{1 + n % 250}", 6000) for n in range(count)]
    neighbours = {address: f"02:00:00:01:{n >> 8:02x}:{n & 255:02x}"
                  for n, (address, _) in enumerate(clients)}
    got = scene.replay(pipeline(scene, {"max_clients": count}, port={"neighbours": neighbours}),
                       fed(scene, payloads), {"out": "out.pcap"},
                       options=listed(scene, [f"s,udp,{a},{p},," for a, p in clients]))
    sent = by_client(got.out("out"))
    equal(len(sent), count, "clients that got something")
    for address, port in clients[::97]:
        equal(sent[address, port],
              [to_client(body, address, port, neighbours[address], n)
               for n, body in enumerate(payloads)], f"frames of {address}")
    for address, port in clients:
        equal([int.from_bytes(frame[44:46], "big") for frame in sent[address, port]],
              list(range(packets)), f"numbers of {address}")
    equal({one["packets"] for one in got.report["clients"]}, {packets}, "counters")
    equal(got.stream()["unicasts"][0]["packets"], count * packets, "the output's counter")


@case
def wrong_client_lists_are_refused_with_their_line(scene):
    rows = {"s,udp,10.9.0.7,0,,": "udp_port", "s,udp,10.9.0.777,6000,,": "is not an IP address",
            "t,udp,10.9.0.7,6000,,": "there are: s.homes", "s,tcp,10.9.0.7,6000,,": "is not udp",
            "s,udp,239.1.1.1,6000,,": "no host's address", "s,udp,10.9.0.7,6000,9,": "join_at",
            "s,udp,10.9.0.7,6000,9ms,8ms": "leave_at is not after join_at",
            "s,udp,10.9.0.7,6000,,,extra": "7 values for 6 columns"}
    ins = fed(scene, bodies(1))
    for row, told in rows.items():
        got = scene.run(pipeline(scene), ins, options=listed(scene, ["# comment", row]))
        equal(got.code, 2, f"exit code for {row}")
        check(told in got.stderr and "clients.csv:3: " in got.stderr, row, got.stderr)
    got = scene.run(pipeline(scene, {"max_clients": 1}), ins,
                    options=listed(scene, ["s,udp,10.9.0.7,6000,,", "s,udp,10.9.0.7,6001,,"]))
    equal(got.code, 2, "exit code for too many")
    check("raise max_clients" in got.stderr, got.stderr)
    one = "s,udp,10.9.0.7,6000"
    got = scene.run(pipeline(scene), ins, options=listed(scene, [f"{one},,9ms", f"{one},8ms,"]))
    equal(got.code, 2, "exit code for a client that is there twice")
    check("clients.csv:3: 10.9.0.7:6000 is there already (line 2)" in got.stderr, got.stderr)
    got = scene.run(pipeline(scene), ins, options=listed(scene, [f"{one},,9ms", f"{one},9ms,"]))
    equal(got.code, 0, "exit code for one that comes back")
    got = scene.run(pipeline(scene), ins,
                    options=["--clients", str(scene.file("c.csv", "stream,address\ns,10.9.0.7\n"))])
    check("c.csv:1: no column udp_port" in got.stderr, got.stderr)
