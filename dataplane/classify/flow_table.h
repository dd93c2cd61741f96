// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <nmmintrin.h>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Which leg a packet is of. An exact source comes before any source: rows with equal keys stand in
// that order on the probe path.
struct Flow {
  static constexpr std::uint16_t kNone = 0xffff;

  std::uint16_t stream = kNone;
  std::uint8_t leg = 0;
  std::uint8_t worker = 0;
};

enum class FlowMiss : std::uint8_t { NoFeed, SourceFilter, OwnSource, OtherSpi };

// Finds the leg of (port, VLAN, destination, UDP port or ESP's SPI, source). Immutable once built;
// UDP over IPv4 is one probe of a quarter-full table of 16-byte rows.
class FlowTable {
 public:
  // `worker_of[stream]`: which worker serves the stream.
  FlowTable(const Spec& spec, std::span<const std::uint8_t> worker_of);

  struct Row4 {
    std::uint64_t key = 0;     // destination, segment, UDP port as they lie in a frame; 0 is empty
    std::uint32_t source = 0;  // network order; 0 is any
    std::uint16_t stream = Flow::kNone;
    std::uint8_t leg = 0;
    std::uint8_t worker = 0;  // with kCheckOwn where one of our outputs has this destination, too

    static constexpr std::uint8_t kCheckOwn = 0x80;
    static_assert(kMaxWorkers <= kCheckOwn);
  };
  static_assert(sizeof(Row4) == 16);

  static constexpr std::uint64_t kAddressAndPort = 0xffff0000ffffffffull;
  // `destination_and_ports`: 8 bytes of a frame, the IPv4 destination and the UDP ports. The
  // segment goes in negated: it is never kNoSegment, so no packet has the key of an empty row.
  static std::uint64_t key4(std::uint64_t destination_and_ports, std::uint16_t segment) noexcept {
    return (destination_and_ports & kAddressAndPort) |
           static_cast<std::uint64_t>(static_cast<std::uint16_t>(~segment)) << 32;
  }

  // The IPv4 rows for a loop over many packets. find() is null when no leg wants the packet, and
  // leaves the question of kCheckOwn to its caller.
  struct View4 {
    const Row4* rows;
    std::uint64_t mask;

    const Row4* find(std::uint64_t key, std::uint32_t source) const noexcept {
      for (std::uint64_t i = _mm_crc32_u64(0, key);; ++i) {
        const Row4* row = rows + (i & mask);
        if (row->key == key) [[likely]] {
          if (row->source == 0) [[likely]]
            return row;
          if (row->source == source) return row;
        }
        if (row->key == 0) return nullptr;
      }
    }
  };
  View4 view4() const noexcept { return {rows4_.data(), mask4_}; }

  // The flow of kNone when no leg wants the packet; why_not() then tells why.
  Flow find4(std::uint64_t key, std::uint32_t source) const noexcept {
    const Row4* row = view4().find(key, source);
    if (row == nullptr || ((row->worker & Row4::kCheckOwn) != 0 && is_own4(key, source))) return {};
    return {row->stream, row->leg, static_cast<std::uint8_t>(row->worker & (Row4::kCheckOwn - 1))};
  }

  Flow find6(const IpAddress& source, const Endpoint& to, std::uint16_t segment) const noexcept;

  FlowMiss why_not(const IpAddress& source, const Endpoint& to,
                   std::uint16_t segment) const noexcept;

  // The same for IP protocol 50 of either family.
  struct EspFlow {
    IpAddress source;
    IpAddress destination;
    std::uint32_t spi = 0;
  };
  Flow find_esp(const EspFlow& packet, std::uint16_t segment) const noexcept;
  FlowMiss why_not(const EspFlow& packet, std::uint16_t segment) const noexcept;

  // Does the stream take what has a wrong UDP checksum, in case nothing better comes?
  bool keeps_corrupt(std::uint16_t stream) const noexcept { return keeps_corrupt_[stream]; }

  // A port and its VLAN tags as one small number. Untagged frames of port N have N; tags that no
  // leg uses have kNoSegment.
  static constexpr std::uint16_t kNoSegment = 0xffff;
  std::uint16_t segment(unsigned port, const VlanTags& tags) const noexcept;

 private:
  // What tells the flows of one destination apart: a UDP port, or an SPI.
  using FlowNumber = std::uint64_t;
  static constexpr FlowNumber number_of_spi(std::uint32_t spi) noexcept {
    return FlowNumber{1} << 32 | spi;
  }
  // UDP over IPv6, and ESP.
  struct Row6 {
    IpAddress destination;
    IpAddress source;
    FlowNumber number = 0;
    std::uint16_t segment = 0;
    bool any_source = false;
    Flow flow;
  };

  void add_legs(const Spec& spec, std::span<const std::uint8_t> worker_of, bool exact);
  void add_own(const OutputSpec& output);
  void add_leg(const LegSpec& leg, const Flow& flow);
  void insert4(Row4 row);
  void insert6(const Row6& row);
  bool knows4(const Endpoint& to, std::uint16_t segment) const noexcept;
  const Row6* find_row6(const IpAddress& source, const IpAddress& to, FlowNumber number,
                        std::uint16_t segment) const noexcept;
  bool knows6(const IpAddress& to, FlowNumber number, std::uint16_t segment) const noexcept;
  bool is_own(const IpAddress& source, const Endpoint& to) const noexcept;
  bool is_own4(std::uint64_t key, std::uint32_t source) const noexcept;
  bool is_own(const EspFlow& packet) const noexcept;
  static std::uint64_t hash6(const IpAddress& destination, FlowNumber number,
                             std::uint16_t segment) noexcept;

  std::uint64_t mask4_ = 0;
  std::vector<Row4> rows4_;
  std::uint64_t mask6_ = 0;
  std::vector<Row6> rows6_;
  struct Segment {
    unsigned port;
    VlanTags tags;
  };
  std::vector<Segment> segments_;
  std::size_t ports_ = 0;
  std::vector<bool> keeps_corrupt_;                 // by stream
  std::map<Endpoint, std::vector<IpAddress>> own_;  // our outputs: destination to sources
  std::map<std::pair<IpAddress, std::uint32_t>, std::vector<IpAddress>> own_esp_;  // with SPI
  std::set<std::pair<IpAddress, std::uint16_t>> esp_places_;  // destination and segment of legs
};

}  // namespace castgate
