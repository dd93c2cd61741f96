# SPDX-License-Identifier: Apache-2.0
"""Clients of one stream among several workers: each gets what it would get from one."""
from harness import case, check, document, equal

from unicast_cases import OUT, bodies, by_client, fed, listed, to_client

CLIENTS = [("10.9.0.7", port) for port in range(6000, 6150)] + \
          [("2001:db8:9::7", port) for port in range(6000, 6020)] + [("192.0.2.9", 5004)]


def split(scene, fan_workers, unicast=None, more=None):
    outputs = {"homes": {"port": "out", "unicast": {"fan_workers": fan_workers, **(unicast or {})}},
               **(more or {})}
    made = document({"A": {"port": "red", "to": "239.1.0.1:5000"}}, outputs, ports={"out": OUT})
    made["appliance"]["worker_cores"] = [1, 2, 3]
    return scene.pipeline(made)


def rows():
    """Some come later, some go before the end."""
    made = []
    for n, (address, port) in enumerate(CLIENTS):
        join = f"{7 * n}ms" if n % 5 == 0 else ""
        leave = f"{900 + n}ms" if n % 7 == 0 else ""
        made.append(f"s,udp,{address},{port},{join},{leave}")
    return made


def replayed(scene, fan_workers, **how):
    return scene.replay(split(scene, fan_workers, **how),
                        fed(scene, bodies(1200)), {"out": f"out{fan_workers}.pcap"},
                        options=listed(scene, rows()))


@case
def three_workers_give_each_client_the_bytes_that_one_gives(scene):
    one, three = (replayed(scene, workers) for workers in (1, 3))
    wanted = by_client(one.out("out"))
    equal(len(wanted), len(CLIENTS), "clients that got something")
    got = by_client(three.out("out"))
    equal(set(got), set(wanted), "who got packets")
    for client, frames in wanted.items():
        equal(got[client], frames, f"frames of {client}")
    equal(three.report["clients"], one.report["clients"], "clients' counters")
    equal(three.stream()["unicasts"], one.stream()["unicasts"], "the output's counters")
    # Not the order in which one worker serves all, else nothing was split.
    check([frame for _, frame in three.out("out")] != [frame for _, frame in one.out("out")],
          "the workers took turns")
    equal(got["10.9.0.7", 6001], [to_client(body, "10.9.0.7", 6001, "02:00:00:00:09:07", n)
                                  for n, body in enumerate(bodies(1200))], "frames of a client")
    equal(one.report["drops"], three.report["drops"], "drops by name")


@case
def rates_and_groups_are_the_same_with_three_workers(scene):
    group = {"main": {"port": "out", "to": "239.9.0.1:5000", "source": "10.9.0.1"}}
    how = {"unicast": {"max_rate": "4Mbps"}, "more": group}
    one, three = (replayed(scene, workers, **how) for workers in (1, 3))
    wanted, got = by_client(one.out("out")), by_client(three.out("out"))
    equal(len(wanted), len(CLIENTS) + 1, "clients that got something, and the group")
    for client, frames in wanted.items():
        equal(got[client], frames, f"frames of {client}")
    check(one.stream()["unicasts"][0]["drops"] > 0, "the rate was exceeded")
    equal(three.report["clients"], one.report["clients"], "clients' counters")
