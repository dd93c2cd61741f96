# SPDX-License-Identifier: Apache-2.0
"""Clients whose way takes less: packets over their MTU, or more than their rate."""
import harness
from harness import case, check, document, equal

from unicast_cases import OUT, bodies, by_client, fed, listed, pipeline, to_client


@case
def packets_over_the_mtu_come_out_of_their_fragments_byte_for_byte(scene):
    """Put together again, with UDP checksum, by tshark."""
    payloads = [body[:400 + 50 * n] for n, body in enumerate(bodies(19))]
    rows = ["s,udp,10.9.0.7,6000,,", "s,udp,2001:db8:9::7,6000,,"]
    got = scene.replay(pipeline(scene, {"too_big": "fragment"}, port={"mtu": 600}),
                       fed(scene, payloads), {"out": "out.pcap"}, options=listed(scene, rows))
    lines = harness.fields(got.outs["out"], ["ip.dst", "ip.len", "ip.flags.df", "ip.id",
                                             "ip.checksum.status", "udp.checksum.status",
                                             "udp.payload"])
    four = [line for line in lines if line[0]]
    equal({line[4] for line in four}, {"1"}, "IP checksums")
    check(all(int(line[1]) <= 600 for line in four), "a packet over the MTU")
    whole = [line for line in four if line[6]]
    equal([line[6] for line in whole], [body.hex() for body in payloads], "payloads over IPv4")
    equal({line[5] for line in whole}, {"1"}, "UDP checksums")
    counts = [-(-(len(body) + 8) // 576) if len(body) + 28 > 600 else 1 for body in payloads]
    equal(len(four), sum(counts), "packets over IPv4")
    fragments = [line for line in four if line[2] in ("0", "False")]
    equal(len(fragments), sum(n for n in counts if n > 1), "packets without DF")
    equal(len({line[3] for line in fragments}), sum(n > 1 for n in counts), "identifications")
    small = [body for body in payloads if len(body) + 48 <= 600]
    equal(len([line for line in lines if not line[0]]), len(small), "packets over IPv6")
    equal(got.drops(), {"mtu": len(payloads) - len(small)}, "drops")
    equal([one["packets"] for one in got.report["clients"]], [sum(counts), len(small)], "counters")


@case
def client_gets_the_rate_of_its_output_and_the_rest_is_dropped_as_quota(scene):
    payloads = bodies(1000)  # 1344 bytes a millisecond: 10.752 Mbps
    rows = ["s.homes,udp,10.9.0.7,6000,,", "s.all,udp,10.9.0.7,6001,,",
            "s.homes,udp,10.9.0.8,6000,500ms,"]
    more = {"all": {"port": "out", "unicast": {"max_rate": "10.752Mbps"}}}
    got = scene.replay(pipeline(scene, {"max_rate": "1.0752Mbps"}, more=more), fed(scene, payloads),
                       {"out": "out.pcap"}, options=listed(scene, rows))
    first, whole, late = (one["packets"] for one in got.report["clients"])
    check(109 <= first <= 111, "a tenth of a second of packets beyond the rate:", first)
    equal(whole, 1000, "who may have all")
    check(59 <= late <= 61, "who comes later has a rate of its own:", late)
    equal(got.drops(), {"quota": 1000 - first + 500 - late}, "drops")
    equal([one["drops"]["quota"] for one in got.report["clients"]],
          [1000 - first, 0, 500 - late], "whose")
    sent = by_client(got.out("out"))
    equal(sent["10.9.0.7", 6001],
          [to_client(body, "10.9.0.7", 6001, "02:00:00:00:09:07", n)
           for n, body in enumerate(payloads)], "frames of who may have all")


@case
def port_carries_its_rate_and_the_rest_is_dropped_as_tx_rate(scene):
    payloads = bodies(1000)  # 1344 bytes a millisecond to each of two: 21.504 Mbps
    rows = ["s.homes,udp,10.9.0.7,6000,,", "s.homes,udp,10.9.0.8,6000,,"]
    got = scene.replay(pipeline(scene, port={"max_rate": "10.752Mbps"}), fed(scene, payloads),
                       {"out": "out.pcap"}, options=listed(scene, rows))
    sent = by_client(got.out("out"))
    count = sum(len(frames) for frames in sent.values())
    check(1099 <= count <= 1101, "a second and a tenth of it:", count)
    equal(got.drops(), {"tx_rate": 2000 - count}, "drops")
    for (address, port), frames in sent.items():
        made = iter(to_client(body, address, port, f"02:00:00:00:09:0{address[-1]}", n)
                    for n, body in enumerate(payloads))
        check(all(frame in made for frame in frames), "what came is in order and whole:", address)


@case
def declared_rates_over_a_port_are_refused_with_the_figures(scene):
    def checked(red, out):
        ports = {"red": {"max_rate": red}, "out": {**OUT, "max_rate": out}}
        outputs = {name: {"port": "out", "to": f"239.9.0.{n}:5000", "source": "10.0.0.9"}
                   for n, name in enumerate(("main", "second"), 1)}
        made = document({"A": {"port": "red", "to": "239.1.0.1:5000"}}, outputs, ports=ports)
        made["streams"]["s"]["max_bitrate"] = "60Mbps"
        return scene.run(scene.pipeline(made), fed(scene, bodies(1)))
    equal(checked("60Mbps", "120Mbps").code, 0, "exit code of what fits")
    got = checked("50Mbps", "100Mbps")
    equal(got.code, 2, "exit code")
    for told in ("120Mbps that the streams of its groups declare by max_bitrate are more than "
                 "100Mbps", "60Mbps that the streams of its legs declare"):
        check(told in got.stderr, told, got.stderr)
