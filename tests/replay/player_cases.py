# SPDX-License-Identifier: Apache-2.0
"""protect: what stock players make of a stream that is older than one turn of its numbers."""
import hashlib
import shutil
import socket
import subprocess
import time

from harness import Skipped, case, check, document, equal

import capture_file
import frames
from protect_cases import SSRC, key_of, with_ssrc
from stream_cases import A, LEGS
from unicast_cases import OUT

TURNS = 5
FIRST, COUNT = 65_000, 2_000  # of the first sequence number; of the packets that are played
SUITES = {"srtp_gcm": (28, "aes-128-gcm", "null"), "srtp_cm": (30, "aes-128-icm", "hmac-sha1-80")}


def transport(number):
    """A packet of MPEG-TS in size alone: what is in it is the receiver's own business."""
    return b"\x47" + hashlib.sha256(number.to_bytes(4, "big")).digest() * 6


def aged(scene, count):
    """`count` packets on leg A, ten thousand a second: all that is not their own is made once."""
    whole = frames.datagram(frames.rtp(transport(0)[:188], 0, 0, 7, payload_type=33), A.source,
                            A.group, A.port)
    head, udp = whole[:34], whole[34:40] + b"\0\0"  # no UDP checksum

    def packets():
        for n in range(count):
            rtp = b"\x80\x21" + ((FIRST + n) % 65536).to_bytes(2, "big")
            rtp += (9 * n).to_bytes(4, "big") + b"\0\0\0\7"
            yield 1_700_000_000_000_000_000 + n * 100_000, \
                head + udp + rtp + transport(n)[:188]

    return scene.capture("a.pcap", packets())


def played(capture, count, key, cipher, auth):
    """What GStreamer makes of the capture's packets, told that their roll-over counter is TURNS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    caps = "application/x-srtp,media=(string)video,clock-rate=(int)90000," \
           f"encoding-name=(string)MP2T,payload=(int)33,ssrc=(uint){SSRC},roc=(uint){TURNS}," \
           f"srtp-key=(buffer){key.hex()},srtp-cipher=(string){cipher},srtp-auth=(string){auth}," \
           f"srtcp-cipher=(string){cipher},srtcp-auth=(string){auth}"
    made = capture.with_suffix(".ts")
    player = subprocess.Popen(
        ["gst-launch-1.0", "udpsrc", "address=127.0.0.1", f"port={port}", f"num-buffers={count}",
         "buffer-size=8000000", f"caps={caps}", "!", "srtpdec", "!", "rtpmp2tdepay", "!",
         "filesink", f"location={made}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    try:
        for line in player.stdout:
            if "PLAYING" in line:
                break
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _, frame in capture_file.read_pcap(capture):
                sender.sendto(frame[42:], ("127.0.0.1", port))
                time.sleep(0.0002)
        told, _ = player.communicate(timeout=30)
    finally:
        player.kill()
    check(player.returncode == 0, told[-1000:])
    return made.read_bytes()


@case
def player_gstreamer_joins_at_roll_over_counter_5(scene):
    for tool in ("srtpdec", "rtpmp2tdepay"):
        if not shutil.which("gst-inspect-1.0") or subprocess.run(
                ["gst-inspect-1.0", tool], capture_output=True, check=False).returncode:
            raise Skipped(f"GStreamer has no {tool}")
    to = {"port": "out", "source": "10.9.0.1"}
    keys = {name: key_of(scene, f"{name}.key", size, seed=size)
            for name, (size, _, _) in SUITES.items()}
    outputs = {name: {**to, "to": f"239.9.0.{n + 1}:5000",
                      "protect": {"profile": name, "key_file": f"{name}.key"}}
               for n, name in enumerate(SUITES)}
    start = TURNS * 65536 - FIRST  # the first packet of that turn
    count = start + COUNT
    made = with_ssrc(document({"A": LEGS["A"]}, outputs, failover={"continuity": "splice"},
                              ports={"out": OUT}))
    got = scene.replay(scene.pipeline(made), {"red": aged(scene, count)}, {"out": "out.pcap"})
    equal(got.stream()["crypto_packets"], 2 * count, "crypto_packets")
    sent = b"".join(transport(n)[:188] for n in range(start, count))
    late = list(got.out("out"))[-2 * COUNT:]
    tail = scene.place / "tail.pcap"
    for n, (name, (_, cipher, auth)) in enumerate(SUITES.items()):
        group = bytes((239, 9, 0, n + 1))
        capture_file.write_pcap(tail, [one for one in late if one[1][30:34] == group])
        check(played(tail, COUNT, keys[name], cipher, auth) == sent, name)
