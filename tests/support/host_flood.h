// SPDX-License-Identifier: Apache-2.0
// A flood of what no stream wants: six kinds of frames in turn, five of them for the host stack.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tests/support/packets.h"

namespace castgate::test {

// `rate`: packets a second of the kind that reach the host stack; 0: none may.
struct FloodKind {
  std::string_view name;
  std::uint64_t rate = 0;
  Bytes frame;
};

inline Bytes arp_request() {
  Bytes made(6, 0xff);
  append(made, {2, 0, 0, 0, 0, 0x66});
  append(made, {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 0x66, 10, 1, 0, 66});
  append(made, {0, 0, 0, 0, 0, 0, 10, 1, 0, 2});
  made.resize(60);
  return made;
}

// An IPv4 packet of another protocol than UDP: its payload replaces the datagram.
inline Bytes ip4_of(unsigned protocol, const Bytes& destination, const Bytes& payload) {
  Frame frame;
  frame.protocol = protocol;
  frame.destination = destination;
  Bytes made = frame.bytes();
  made.resize(34);
  append(made, payload);
  set16(made, 16, static_cast<unsigned>(20 + payload.size()));
  resum_ip4(made);
  return made;
}

inline std::array<FloodKind, 6> host_flood() {
  Bytes query{0x11, 10, 0, 0, 0, 0, 0, 0, 2, 60, 0, 0};  // IGMPv3, general
  set16(query, 2, slow_checksum(query));
  Bytes echo{8, 0, 0, 0, 0, 7, 0, 1, 'p', 'i', 'n', 'g'};
  set16(echo, 2, slow_checksum(echo));
  Bytes garbage(60, 0x5a);
  set16(garbage, 12, 0x88b5);  // an EtherType for experiments
  Frame stranger;
  stranger.destination = {10, 1, 0, 2};
  stranger.destination_port = 53;
  return {{{"arp", 2000, arp_request()},
           {"igmp query", 100, ip4_of(2, {224, 0, 0, 1}, query)},
           {"tcp", 5000, ip4_of(6, {10, 1, 0, 2}, Bytes(20, 2))},
           {"icmp echo", 1000, ip4_of(1, {10, 1, 0, 2}, echo)},
           {"unknown udp", 1000, stranger.bytes()},
           {"garbage", 0, garbage}}};
}

}  // namespace castgate::test
