# SPDX-License-Identifier: Apache-2.0
"""Frames, built from the RFCs with struct alone: nothing here knows castgate's code.

Addresses are text; every builder returns bytes and leaves room for a wrong value where a test wants
one (`checksum=`, `length=`, `version=`)."""
import ipaddress
import struct

UDP, ICMP, IGMP, ESP, IGMP_GROUP = 17, 1, 2, 50, "224.0.0.22"
IPV4, IPV6, ARP, VLAN, QINQ = 0x0800, 0x86DD, 0x0806, 0x8100, 0x88A8


def checksum16(data):
    """The Internet checksum (RFC 1071) of `data`."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def mac(text):
    return bytes(int(byte, 16) for byte in text.split(":"))


def multicast_mac(group):
    """RFC 1112 6.4 and RFC 2464 7."""
    packed = ipaddress.ip_address(group).packed
    if len(packed) == 4:
        return bytes([1, 0, 0x5E, packed[1] & 0x7F]) + packed[2:]
    return b"\x33\x33" + packed[12:]


def vlan_header(tags):
    """Tags of VLAN numbers, outermost first: one is 0x8100, of two the outer is 0x88a8."""
    types = [VLAN] * len(tags) if len(tags) == 1 else [QINQ] + [VLAN] * (len(tags) - 1)
    return b"".join(struct.pack(">HH", kind, tag) for kind, tag in zip(types, tags))


def ethernet(payload, destination, source="02:00:00:00:00:01", vlans=(), ether_type=None):
    """`destination` is a MAC, or a group whose MAC is meant. No FCS, no padding."""
    to = mac(destination) if destination.count(":") == 5 and len(destination) == 17 \
        else multicast_mac(destination)
    if ether_type is None:
        ether_type = IPV6 if payload[:1] and payload[0] >> 4 == 6 else IPV4
    return to + mac(source) + vlan_header(vlans) + struct.pack(">H", ether_type) + payload


def ipv4(payload, source, destination, *, protocol=UDP, ttl=64, tos=0, ident=0, fragment=0x4000,
         options=b"", version=4, header_words=None, length=None, checksum=None):
    """`fragment`: flags and offset as one field; 0x4000 is DF, 0x2000 MF."""
    words = 5 + len(options) // 4 if header_words is None else header_words
    total = 20 + len(options) + len(payload) if length is None else length
    head = struct.pack(">BBHHHBBH", version << 4 | words, tos, total, ident, fragment, ttl,
                       protocol, 0)
    head += ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(destination).packed
    head += options
    value = checksum16(head) if checksum is None else checksum
    return head[:10] + struct.pack(">H", value) + head[12:] + payload


def ipv6(payload, source, destination, *, next_header=UDP, hop_limit=64, traffic_class=0,
         extensions=(), length=None):
    """`extensions`: (number, body) in order; a body lacks its two first bytes: 8k+6 bytes long."""
    numbers = [number for number, _ in extensions] + [next_header]
    chain = b"".join(bytes([follows, (len(body) + 2) // 8 - 1]) + body
                     for (_, body), follows in zip(extensions, numbers[1:]))
    size = len(chain) + len(payload) if length is None else length
    head = struct.pack(">IHBB", 6 << 28 | traffic_class << 20, size, numbers[0], hop_limit)
    return head + ipaddress.IPv6Address(source).packed + \
        ipaddress.IPv6Address(destination).packed + chain + payload


def udp(payload, source, destination, source_port, port, *, checksum=None, length=None):
    """Valid for the IP addresses given, of either family; `checksum=0` sends none."""
    size = 8 + len(payload)
    head = struct.pack(">HHH", source_port, port, size if length is None else length)
    if checksum is None:
        ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
        pseudo = ends + struct.pack(">II", size, UDP)
        checksum = checksum16(pseudo + head + b"\0\0" + payload) or 0xFFFF
    return head + struct.pack(">H", checksum) + payload


def rtp(payload, sequence, timestamp=0, ssrc=0x01020304, *, payload_type=33, marker=False, csrcs=(),
        extension=None, version=2):
    """RFC 3550 5.1; `extension` is (profile, body of whole words)."""
    first = version << 6 | (0x10 if extension else 0) | len(csrcs)
    head = struct.pack(">BBHII", first, marker << 7 | payload_type, sequence & 0xFFFF,
                       timestamp & 0xFFFFFFFF, ssrc)
    head += b"".join(struct.pack(">I", csrc) for csrc in csrcs)
    if extension:
        profile, body = extension
        head += struct.pack(">HH", profile, len(body) // 4) + body
    return head + payload


def datagram(payload, source, destination, port, *, source_port=None, ip=None, udp_fields=None,
             vlans=(), source_mac="02:00:00:00:00:01"):
    """A whole frame with a UDP payload, of the family of its addresses. `ip` and `udp_fields` hand
    further fields to ipv4(), ipv6() and udp()."""
    segment = udp(payload, source, destination, source_port or port, port, **(udp_fields or {}))
    build = ipv4 if ipaddress.ip_address(destination).version == 4 else ipv6
    return ethernet(build(segment, source, destination, **(ip or {})), destination, source_mac,
                    vlans)


def ts_packets(rng, index, pid=0x100):
    """Seven MPEG-TS packets: sync byte, PID and continuity counter as they must be, then noise."""
    body = []
    for place in range(7):
        counter = (7 * index + place) & 0xF
        body.append(struct.pack(">BHB", 0x47, pid, 0x10 | counter) + rng.randbytes(184))
    return b"".join(body)
