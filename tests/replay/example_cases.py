# SPDX-License-Identifier: Apache-2.0
"""The shipped examples on their own captures."""
import harness
from harness import case, check, equal

import examples


def replayed(scene, name, sides, options=()):
    ins = {port: scene.capture(f"{port}.pcap", packets)
           for port, packets in zip(("red", "blue"), sides)}
    return scene.replay(harness.ROOT / "pipelines" / f"{name}.yaml", ins, {"out": "out.pcap"},
                        options=options)


def rtp_streams(path):
    """SSRCs, and the steps of the sequence from packet to packet, as tshark reads them."""
    rows = harness.fields(path, ["rtp.ssrc", "rtp.seq"], decode=["udp.port==5000,rtp"])
    numbers = [int(number) for _, number in rows]
    return {ssrc for ssrc, _ in rows}, [(b - a) % 65536 for a, b in zip(numbers, numbers[1:])]


@case
def example_iptv_is_one_faultless_stream_over_a_restart(scene):
    for seed in (7, 8):
        sides, left, faulty = examples.iptv(seed=seed)
        got = replayed(scene, "iptv", sides)
        out = [frame[54:] for _, frame in got.out("out")]
        blue = {frame[54:] for _, frame in sides[1]}
        # What red alone brought, and brought with an error, leaves with it: nobody has better.
        whole = [ts for ts in left if ts in blue]
        equal([ts for ts in out if ts in blue], whole, "what left")
        check(len(left) == len(out) and len(left) - len(whole) < 60, len(left), len(out))
        check(len(faulty) > 20 and got.leg("A", "news1")["ts_transport_errors"] >= len(faulty) - 5,
              "transport errors seen:", got.leg("A", "news1")["ts_transport_errors"])
        ssrcs, steps = rtp_streams(got.outs["out"])
        equal(len(ssrcs), 1, "SSRCs to tshark")
        equal(sum(step - 1 for step in steps), got.stream("news1")["unrecovered"], "holes it sees")
        equal(got.stream("news1")["restarts"], 1, "restarts")


@case
def example_st2110_is_whole_though_both_networks_use_one_group(scene):
    sides, left = examples.st2110()
    got = replayed(scene, "st2110", sides)
    equal([frame[42:] for _, frame in got.out("out")], left, "what left")
    harness.judged_by_tshark(got.outs["out"])


@case
def example_raw_ts_leaves_as_rtp_each_datagram_once(scene):
    sides, left = examples.raw_ts()
    got = replayed(scene, "raw_ts", sides)
    equal([frame[54:] for _, frame in got.out("out")], left, "what left")
    ssrcs, steps = rtp_streams(got.outs["out"])
    equal((len(ssrcs), set(steps)), (1, {1}), "SSRCs and steps of the sequence to tshark")
    ttls = harness.fields(got.outs["out"], ["ip.ttl"])
    equal(set(ttls), {("63",)}, "TTLs: received less one")


@case
def example_unicast_serves_group_and_clients_while_they_are_there(scene):
    sides, left = examples.unicast()
    clients = scene.file("clients.csv", examples.CLIENTS)
    got = replayed(scene, "unicast", sides, ["--clients", str(clients)])
    harness.judged_by_tshark(got.outs["out"])
    rows = harness.fields(got.outs["out"], ["ip.dst", "ipv6.dst", "rtp.seq"],
                          decode=["udp.port==5000,rtp"])
    numbers = {}
    for four, six, number in rows:
        numbers.setdefault(four or six, []).append(int(number))
    whole = [int.from_bytes(datagram[2:4], "big") for datagram in left]
    equal(numbers["239.9.0.1"], whole, "the group")
    equal(numbers["10.9.0.7"], whole, "who is there from the start")
    for address, first, last in (("10.9.0.8", 100, 800), ("192.0.2.10", 200, 2000),
                                 ("2001:db8:9::7", 300, 2000)):
        own = numbers[address]
        equal(own, [n for n in whole if own[0] <= n <= own[-1]], f"{address}: none between is lost")
        check(abs(own[0] - first) <= 4 and abs(own[-1] - last) <= 4, address, own[0], own[-1])
