# SPDX-License-Identifier: Apache-2.0
"""Numbers that nobody sent, their checksum right or wrong: the stream goes on without them."""
import harness
from harness import case, check, document, equal

from prefer_cases import INTERVAL, LEGS, OUTPUTS, SKEW, START, numbers, rtp_frame

COUNT = 1600
WILD = range(300, COUNT - 200, 200)


def leg_frames(leg, off, sums_up):
    """Of leg A each 200th packet claims a number `off` away from its own."""
    for n in range(COUNT):
        wild = leg == 0 and n in WILD
        frame = bytearray(rtp_frame(leg, n + off if wild else n, b"%d" % n * 20))
        if wild and not sums_up:
            frame[-1] ^= 0x10
        yield START + n * INTERVAL + leg * SKEW, bytes(frame)


@case
def wild_numbers_neither_lose_nor_stall_whatever_their_checksum(scene):
    verify = {port: {"verify": {"udp_checksum": True}} for port in ("red", "blue")}
    for off in (20_000, -20_000):
        for sums_up, corrupt in ((True, "drop"), (False, "drop"), (False, "use_if_only")):
            what = f"{off} {sums_up} {corrupt}"
            ins = {port: scene.capture(f"{port}.pcap", leg_frames(leg, off, sums_up))
                   for leg, port in enumerate(("red", "blue"))}
            pipeline = document(LEGS, OUTPUTS, ports=verify, failover={"corrupt": corrupt})
            got = scene.replay(scene.pipeline(pipeline), ins, {"out": "out.pcap"})
            out = got.out("out")
            equal(numbers(out), list(range(COUNT)), f"{what}: numbers out")
            pause = max(after - before for (before, _), (after, _) in zip(out, out[1:]))
            check(pause <= SKEW + 2 * INTERVAL, f"{what}: stood still for {pause} ns")
            equal(got.stream()["unrecovered"], 0, f"{what}: unrecovered")
            by = "udp_checksum" if not sums_up and corrupt == "drop" else "wild_sequence"
            drops = {"redundant": COUNT - len(WILD), by: len(WILD)}
            equal(got.drops(), drops, f"{what}: drops")
            harness.judged_by_tshark(got.outs["out"])
