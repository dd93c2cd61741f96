# SPDX-License-Identifier: Apache-2.0
"""protect.isolation: per_client: each client opens what it gets with a key of its own, made here as
the documents say, and nobody else can."""
import collections

import harness
from harness import case, check, document, equal

import frames
from protect_cases import clear, fed, key_of, receiver
from stream_cases import A, LEGS, MAIN, at
from unicast_cases import OUT, by_client

try:
    import client_keys
    from srtp_judge import Forged
except ImportError:
    client_keys = None

COUNT = 300
PROFILES = (("srtp_gcm", 128, None), ("srtp_gcm", 256, None), ("srtp_cm", 128, 80),
            ("srtp_cm", 128, 32), ("srtp_cm", 256, 80))
Row = collections.namedtuple("Row", "address port joins leaves", defaults=(0, COUNT))


def listed(scene, rows):
    """Packets come a millisecond apart; a row is there from one number to before another."""
    lines = [f"s.homes,udp,{row.address},{row.port},{row.joins}ms,"
             f"{f'{row.leaves}ms' if row.leaves < COUNT else ''}" for row in rows]
    text = "stream,transport,address,udp_port,join_at,leave_at\n" + "\n".join(lines) + "\n"
    return ["--clients", str(scene.file("clients.csv", text))]


def replayed(scene, rows, protect, *, more=None, count=COUNT, outs=None, **failover):
    outputs = {**(more or {}), "homes": {"port": "out", "unicast": {}, "protect": protect}}
    made = document(LEGS, outputs, failover=failover or None, ports={"out": OUT, "wan": {}})
    return scene.replay(scene.pipeline(made), fed(scene, count=count),
                        outs or {"out": "out.pcap"}, options=listed(scene, rows))


def keys_of(rows, file_key, bits, salt, stream="s"):
    return [client_keys.client_key(file_key, stream, row.address, row.port,
                                   client_keys.of_replay(number), key_bytes=bits // 8,
                                   salt_bytes=salt) for number, row in enumerate(rows, 1)]


def by_key(packets, rows, keys):
    """Payloads by row: each packet went to that row's address under that row's SSRC."""
    known = {(row.address, row.port, key.ssrc): n for n, (row, key) in enumerate(zip(rows, keys))}
    sorted_out = [[] for _ in rows]
    for (address, port), every in by_client(packets).items():
        for frame in every:
            payload = frame[42 if frame[12:14] == b"\x08\0" else 62:]
            ssrc = int.from_bytes(payload[8:12], "big")
            sorted_out[known[address, port, ssrc]].append(payload)
    return sorted_out


def wanted(row, key, count=COUNT):
    """The stream while the client is there, under its own numbers from 0 on and its SSRC."""
    stream = clear(count)[row.joins:row.leaves]
    return [packet[:2] + (n % 65536).to_bytes(2, "big") + packet[4:8] +
            key.ssrc.to_bytes(4, "big") + packet[12:] for n, packet in enumerate(stream)]


def opened(packets, key, profile, tag):
    judge = receiver(key.key, key.salt, profile, tag=(tag or 80) // 8)
    return [judge.open(packet) for packet in packets]


@case
def isolation_each_client_opens_its_own_packets_from_number_0_on(scene):
    rows = [Row("10.9.0.7", 6000 + n) for n in range(70)]
    rows += [Row("10.9.0.8", 6000, 100), Row("10.9.0.8", 6001, 50, 120),
             Row("10.9.0.8", 6001, 200), Row("2001:db8:9::7", 6000, 20)]
    for profile, bits, tag in PROFILES:
        salt = 12 if profile == "srtp_gcm" else 14
        file_key = key_of(scene, "s.key", bits // 8 + salt)
        receiver(file_key[:bits // 8], file_key[bits // 8:], profile)  # skips where it cannot judge
        protect = {"profile": profile, "key_bits": bits, "key_file": "s.key",
                   "isolation": "per_client", **({"tag_bits": tag} if tag else {})}
        got = replayed(scene, rows, protect)
        keys = keys_of(rows, file_key, bits, salt)
        equal(len({key.ssrc for key in keys}), len(rows), "SSRCs")
        every = by_key(got.out("out"), rows, keys)
        for row, key, packets in zip(rows, keys, every):
            equal(len(packets), row.leaves - row.joins, f"packets of {row}")
            check(opened(packets, key, profile, tag) == wanted(row, key), f"{profile} {row}")
        for stranger in (keys[1], client_keys.ClientKey(file_key[:bits // 8],
                                                        file_key[bits // 8:], 0, 0)):
            try:
                opened(every[0][:1], stranger, profile, tag)
            except Forged:
                continue
            check(False, "another key opens the first client's packets")
        packets = sum(len(each) for each in every)
        equal(got.stream()["crypto_packets"], packets, "crypto_packets")
        equal(got.stream()["unicasts"][0]["packets"], packets, "packets of the output")
        equal(set(got.drops()), {"redundant"}, "drops")
        harness.judged_by_tshark(got.outs["out"], unsummed=True)


@case
def isolation_groups_beside_are_what_they_were(scene):
    file_key = key_of(scene, "s.key", 28)
    group_key = key_of(scene, "g.key", 28, seed=4)
    rows = [Row("10.9.0.7", 6000 + n) for n in range(3)]
    protect = {"profile": "srtp_gcm", "key_file": "s.key", "isolation": "per_client"}
    sealed = {"port": "wan", "to": "239.9.0.2:5000", "source": "10.9.0.1",
              "protect": {"profile": "srtp_gcm", "key_file": "g.key"}}
    plain = {"port": "wan", "to": "239.9.0.3:5000", "source": "10.9.0.1"}
    keys = keys_of(rows, file_key, 128, 12)
    for more in ({"sealed": sealed}, {"plain": plain}, {"plain": plain, "sealed": sealed}):
        got = replayed(scene, rows, protect, more=more, continuity="splice",
                       outs={"out": "out.pcap", "wan": "wan.pcap"})
        groups = collections.defaultdict(list)
        for _, frame in got.out("wan"):
            groups[frame[33]].append(frame[42:])
        if "plain" in more:
            equal([packet[12:] for packet in groups[3]], [packet[12:] for packet in clear(COUNT)],
                  "the group in the clear")
        if "sealed" in more:
            judge = receiver(group_key[:16], group_key[16:], "srtp_gcm")
            equal([judge.open(packet)[12:] for packet in groups[2]],
                  [packet[12:] for packet in clear(COUNT)], "the sealed group")
        for row, key, packets in zip(rows, keys, by_key(got.out("out"), rows, keys)):
            check([packet[12:] for packet in opened(packets, key, "srtp_gcm", None)] ==
                  [packet[12:] for packet in wanted(row, key)], f"{list(more)} {row}")


@case
def isolation_what_a_key_may_not_seal_any_more_does_not_leave(scene):
    file_key = key_of(scene, "s.key", 28)
    rows = [Row("10.9.0.7", 6000), Row("10.9.0.7", 6001, 150)]
    protect = {"profile": "srtp_gcm", "key_file": "s.key", "isolation": "per_client",
               "max_packets": 200}
    got = replayed(scene, rows, protect)
    keys = keys_of(rows, file_key, 128, 12)
    every = by_key(got.out("out"), rows, keys)
    equal([len(each) for each in every], [200, 150], "packets")
    check(opened(every[0], keys[0], "srtp_gcm", None) == wanted(rows[0], keys[0])[:200], "first")
    equal(got.drops()["key_spent"], 100, "key_spent")
    equal([one["drops"]["not_sealed"] for one in got.report["clients"]], [100, 0], "not_sealed")


@case
def isolation_a_client_that_stays_passes_its_roll_over(scene):
    count = 65_700
    file_key = key_of(scene, "s.key", 28)
    rows = [Row("10.9.0.7", 6000)]
    protect = {"profile": "srtp_gcm", "key_file": "s.key", "isolation": "per_client"}
    outputs = {"homes": {"port": "out", "unicast": {}, "protect": protect}}
    bodies = [frames.rtp(n.to_bytes(4, "big"), n % 65536, 90 * n, 7) for n in range(count)]
    fed_once = {"red": scene.capture("red.pcap", [
        (at(n), frames.datagram(body, A.source, A.group, A.port))
        for n, body in enumerate(bodies)])}
    made = document({"A": LEGS["A"]}, outputs, ports={"out": OUT})
    got = scene.replay(scene.pipeline(made), fed_once, {"out": "out.pcap"},
                       options=listed(scene, rows))
    keys = keys_of(rows, file_key, 128, 12)
    packets, = by_key(got.out("out"), rows, keys)
    equal(len(packets), count, "packets")
    check([packet[12:] for packet in opened(packets, keys[0], "srtp_gcm", None)] ==
          [body[12:] for body in bodies], "what they hold")


@case
def isolation_is_refused_where_there_are_no_clients(scene):
    key_of(scene, "s.key", 28)
    protect = {"profile": "srtp_gcm", "key_file": "s.key", "isolation": "per_client"}
    made = document(LEGS, {"main": {**MAIN, "protect": protect}},
                    failover={"continuity": "splice"})
    got = scene.run(scene.pipeline(made), fed(scene, count=10), {"out": "out.pcap"})
    equal(got.code, 2, "exit code")
    check("protect.isolation" in got.stderr and "unicast outputs" in got.stderr, got.stderr)
