# SPDX-License-Identifier: Apache-2.0
"""The oracle of the live scenes tells a perfect merge from each kind of bad one."""
import contextlib
import io
import pathlib
import struct
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
import rtp_oracle


def packet(number, group, text=b"payload"):
    rtp = struct.pack("!BBHII", 0x80, 96, number % 65536, number, 1) + text
    udp = struct.pack("!HHHH", 1, 5000, 8 + len(rtp), 0) + rtp
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 8, 17, 0) + bytes(4) + group
    return bytes(12) + struct.pack("!HHH", 0x8100, 7, 0x0800) + ip + udp


class Oracle(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)

    def capture(self, name, group, packets):
        """packets: (milliseconds, number) or with a third, the payload."""
        path = pathlib.Path(self.place.name) / f"{name}.pcap"
        data = struct.pack("<IHHIIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1)
        for at, number, *text in packets:
            frame = packet(number, group, *text)
            data += struct.pack("<IIII", 0, at * 10**6, len(frame), len(frame)) + frame
        path.write_bytes(data)
        return f"{path},{'.'.join(map(str, group))}:5000"

    def verdict(self, out, *options):
        """Exit code and figures for legs that bring 65534, 65536, 65537 and 65534, 65535."""
        legs = [self.capture("a", bytes([239, 1, 0, 1]), [(0, 65534), (2, 65536), (4, 65538)]),
                self.capture("b", bytes([239, 2, 0, 1]), [(5, 65534), (6, 65535)])]
        out = self.capture("out", bytes([239, 9, 0, 1]), out)
        words = ["oracle", "--leg", legs[0], "--leg", legs[1], "--out", out, *options]
        printed = io.StringIO()
        with mock.patch.object(sys, "argv", words), contextlib.redirect_stdout(printed):
            code = rtp_oracle.main()
        return code, printed.getvalue().split()[1:]

    PERFECT = [(0, 65534), (6, 65535), (7, 65536), (9, 65538)]

    def test_perfect_merge_passes_with_its_figures(self):
        code, figures = self.verdict(self.PERFECT)
        self.assertEqual(code, 0)
        self.assertEqual(figures, ["3", "2", "1", "4", "0", "0", "0", "0",
                                   "5.000", "5.000", "5.000"])

    def test_lost_packet_is_seen(self):
        code, figures = self.verdict(self.PERFECT[:1] + self.PERFECT[2:])
        self.assertEqual((code, figures[4]), (1, "1"))

    def test_disorder_is_seen(self):
        code, figures = self.verdict([(0, 65534), (6, 65536), (7, 65535), (9, 65538)])
        self.assertEqual((code, figures[5]), (1, "1"))

    def test_repeated_packet_is_seen(self):
        code, figures = self.verdict([(0, 65534)] + self.PERFECT)
        self.assertEqual((code, figures[6]), (1, "1"))

    def test_altered_payload_is_seen(self):
        code, figures = self.verdict(self.PERFECT[:3] + [(9, 65538, b"other")])
        self.assertEqual((code, figures[7]), (1, "1"))

    def test_silent_merge_does_not_pass(self):
        self.assertEqual(self.verdict([])[0], 1)

    def test_receiver_that_counts_otherwise_fails(self):
        self.assertEqual(self.verdict(self.PERFECT, "--tshark-lost", "1")[0], 0)
        self.assertEqual(self.verdict(self.PERFECT, "--tshark-lost", "0")[0], 1)


if __name__ == "__main__":
    unittest.main()
