// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/doors/proof_frame.h"

#include <algorithm>
#include <fmt/format.h>

#include "controlplane/clients/client_route.h"
#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"

namespace castgate {
namespace {

constexpr std::uint8_t kUdp = 17;

class Frame {
 public:
  void put8(unsigned value) { bytes_.push_back(static_cast<std::byte>(value)); }
  void put16(unsigned value) {
    put8(value >> 8 & 0xff);
    put8(value & 0xff);
  }
  void put(const void* from, std::size_t length) {
    const auto* bytes = static_cast<const std::byte*>(from);
    bytes_.insert(bytes_.end(), bytes, bytes + length);
  }
  void put(const IpAddress& address) {
    const std::size_t skipped = address.is_v4() ? 12 : 0;
    put(address.bytes().data() + skipped, address.bytes().size() - skipped);
  }
  std::size_t size() const noexcept { return bytes_.size(); }
  std::byte* at(std::size_t place) noexcept { return bytes_.data() + place; }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

void put_link(Frame& frame, const UnicastSpec& unicast, const ProofLink& link, bool is_v4) {
  frame.put(link.next_hop.bytes.data(), link.next_hop.bytes.size());
  frame.put(link.own.bytes.data(), link.own.bytes.size());
  if (unicast.vlan.count() == 2) frame.put16(0x88a8);
  if (unicast.vlan.count() == 1) frame.put16(0x8100);
  if (unicast.vlan.count() >= 1) frame.put16(unicast.vlan.outer);
  if (unicast.vlan.count() == 2) {
    frame.put16(0x8100);
    frame.put16(unicast.vlan.inner);
  }
  frame.put16(is_v4 ? 0x0800 : 0x86dd);
}

void put_network(Frame& frame, const UnicastSpec& unicast, const ClientRoute& route,
                 std::size_t udp_length) {
  const unsigned ttl = unicast.ttl == 0 ? 64 : unicast.ttl;
  const std::size_t begin = frame.size();
  if (route.to.address.is_v4()) {
    frame.put16(0x4500);
    frame.put16(static_cast<unsigned>(20 + udp_length));
    frame.put16(0);
    frame.put16(0x4000);  // atomic: DF, no identification
    frame.put8(ttl);
    frame.put8(kUdp);
    frame.put16(0);
  } else {
    frame.put16(0x6000);
    frame.put16(0);
    frame.put16(static_cast<unsigned>(udp_length));
    frame.put8(kUdp);
    frame.put8(ttl);
  }
  frame.put(route.source);
  frame.put(route.to.address);
  if (!route.to.address.is_v4()) return;
  const auto sum = static_cast<std::uint16_t>(~fold_sum(ones_sum(frame.at(begin), 20)));
  std::memcpy(frame.at(begin + 10), &sum, sizeof(sum));
}

}  // namespace

std::string proof_payload(const ClientId& nonce) {
  return fmt::format("castgate-proof/1 {}\n", nonce.to_string());
}

std::vector<std::byte> proof_frame(const Spec& spec, const ClientRoute& route,
                                   const ProofLink& link, std::string_view payload) {
  const UnicastSpec& unicast = spec.streams[route.stream].unicasts[route.unicast];
  const Endpoint source = source_of(spec, route);
  const std::size_t udp_length = 8 + payload.size();
  Frame frame;
  put_link(frame, unicast, link, route.to.address.is_v4());
  put_network(frame, unicast, route, udp_length);
  const std::size_t udp = frame.size();
  frame.put16(source.udp_port);
  frame.put16(route.to.udp_port);
  frame.put16(static_cast<unsigned>(udp_length));
  frame.put16(0);
  frame.put(payload.data(), payload.size());

  Frame pseudo;
  pseudo.put(route.source);
  pseudo.put(route.to.address);
  pseudo.put16(kUdp);
  pseudo.put16(static_cast<unsigned>(udp_length));
  auto sum = static_cast<std::uint16_t>(
      ~fold_sum(ones_sum(pseudo.at(0), pseudo.size()) + ones_sum(frame.at(udp), udp_length)));
  if (sum == 0) sum = 0xffff;
  std::memcpy(frame.at(udp + 6), &sum, sizeof(sum));
  return frame.take();
}

}  // namespace castgate
