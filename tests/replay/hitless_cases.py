# SPDX-License-Identifier: Apache-2.0
"""pipelines/hitless.yaml on its own captures, whatever the seed and the container."""
import harness
from harness import case, equal

import generate
import lossy_pair

PIPELINE = harness.ROOT / "pipelines" / "hitless.yaml"


def demonstration(scene, seed=7, loss=0.01, packets=4000):
    red, blue, expected, lost = generate.demonstration(packets, loss, seed)
    ins = {"red": scene.capture("red.pcap", red), "blue": scene.capture("blue.pcap", blue)}
    return ins, {"out": scene.capture("expect.pcap", expected)}, (red, blue, expected, lost)


@case
def hitless_demonstration_comes_out_whole(scene):
    ins, expect, (red, blue, expected, lost) = demonstration(scene)
    got = scene.replay(PIPELINE, ins, {"out": "out.pcap"}, expect)
    equal(got.report["result"]["expected"], {"out": "equal"}, "the verdict")
    equal([frame for _, frame in got.out("out")], [frame for _, frame in expected], "the bytes")
    stream = got.stream("news1")
    both = len(red) + len(blue) - len(expected)
    equal(stream["forwarded"], len(expected), "forwarded")
    equal(stream["unrecovered"], lost, "unrecovered")
    equal(stream["redundant"], both, "redundant")
    equal(stream["recovered"], len(expected) - both, "recovered")
    equal(got.drops(), {"redundant": both}, "drops")
    equal(stream["outputs"][0]["packets"], len(expected), "output packets")
    for leg, capture in (("A", red), ("B", blue)):
        equal(got.leg(leg, "news1")["packets"], len(capture), f"packets of leg {leg}")
        equal(got.leg(leg, "news1")["lost"], 4000 - len(capture), f"lost of leg {leg}")
    harness.judged_by_tshark(got.outs["out"])


@case
def what_is_released_is_never_later_than_max_skew(scene):
    ins, expect, (_, _, expected, _) = demonstration(scene)
    got = scene.replay(PIPELINE, ins, {"out": "out.pcap"}, expect)
    times = [time for time, _ in got.out("out")]
    equal(times, sorted(times), "order of release")
    late = max(left - first for (left, _), (first, _) in zip(got.out("out"), expected))
    early = min(left - first for (left, _), (first, _) in zip(got.out("out"), expected))
    harness.check(late <= 10_000_000, f"released {late} ns after its first copy")
    harness.check(early >= 0, f"released {-early} ns before it came")


@case
def any_seed_and_any_loss_come_out_whole(scene):
    for seed, loss in ((1, 0.0), (2, 0.01), (3, 0.05), (4, 0.2)):
        ins, expect, (_, _, expected, lost) = demonstration(scene, seed, loss, 1200)
        got = scene.replay(PIPELINE, ins, {}, expect)
        equal(got.stream("news1")["forwarded"], len(expected), f"forwarded with seed {seed}")
        equal(got.stream("news1")["unrecovered"], lost, f"unrecovered with seed {seed}")


@case
def replay_gives_the_same_bytes_and_times_twice(scene):
    ins, expect, _ = demonstration(scene, packets=1200)
    first = scene.replay(PIPELINE, ins, {"out": "first.pcap"}, expect)
    second = scene.replay(PIPELINE, ins, {"out": "second.pcap"}, {"out": first.outs["out"]},
                          ["--expect-times"])
    equal(second.outs["out"].read_bytes(), first.outs["out"].read_bytes(), "the second capture")


@case
def stock_judge_hears_only_what_both_paths_lost(scene):
    ins, expect, (_, _, expected, lost) = demonstration(scene)
    got = scene.replay(PIPELINE, ins, {"out": "out.pcap"}, expect)
    seen = harness.fields(got.outs["out"], ["rtp.seq"], decode=["udp.port==5000,rtp"])
    equal(len(seen), len(expected), "RTP packets that tshark sees")
    numbers = [int(number) for number, in seen]
    steps = [(after - before) % 65536 for before, after in zip(numbers, numbers[1:])]
    equal(sum(step - 1 for step in steps), lost, "positions that tshark misses")


@case
def one_path_alone_goes_through(scene):
    """A silent leg delays the start by max_skew, and nothing more."""
    red, _, _, _ = generate.demonstration(1200, 0.0, 5)
    alone = lossy_pair.Stream(1200, 65536 - 400, seed=5)
    came = lossy_pair.arrivals(alone, generate.dataclasses.replace(generate.RED, loss=0.0), "red",
                               cut=frozenset(range(300, 303)))
    expected = lossy_pair.expected_packets(alone, generate.OUT, came)
    equal(len(red), len(expected), "packets of the path")
    scene.replay(PIPELINE, {"red": scene.capture("red.pcap", red)}, {},
                 {"out": scene.capture("expect.pcap", expected)})
