// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/flow_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "dataplane/base/big_endian.h"

namespace castgate {
namespace {

constexpr std::size_t kEmptyPerRow = 4;  // a quarter full: a probe is nearly always one row

std::uint64_t in_frame_order(const Endpoint& to, std::uint16_t segment) noexcept {
  std::array<unsigned char, 8> bytes{};
  std::memcpy(bytes.data(), to.address.bytes().data() + 12, 4);
  store_be16(&bytes[6], to.udp_port);
  return FlowTable::key4(load_raw<std::uint64_t>(bytes.data()), segment);
}

std::uint32_t in_frame_order(const IpAddress& address) noexcept {
  return load_raw<std::uint32_t>(address.bytes().data() + 12);
}

bool is_row4(const LegSpec& leg) noexcept {
  return leg.to.address.is_v4() && !leg.open.is_raw_esp();
}

}  // namespace

FlowTable::FlowTable(const Spec& spec, std::span<const std::uint8_t> worker_of)
    : ports_(spec.ports.size()) {
  std::size_t legs4 = 1;
  std::size_t legs6 = 1;
  for (const StreamSpec& stream : spec.streams) {
    keeps_corrupt_.push_back(stream.failover.corrupt == Corrupt::UseIfOnly);
    for (const LegSpec& leg : stream.legs) {
      (is_row4(leg) ? legs4 : legs6) += leg.open.is_raw_esp() ? leg.open.keys.size() : 1;
    }
    for (const OutputSpec& output : stream.outputs) add_own(output);
  }
  rows4_.resize(std::bit_ceil(legs4 * kEmptyPerRow));
  rows6_.resize(std::bit_ceil(legs6 * kEmptyPerRow));
  mask4_ = rows4_.size() - 1;
  mask6_ = rows6_.size() - 1;
  add_legs(spec, worker_of, true);
  add_legs(spec, worker_of, false);
}

void FlowTable::add_own(const OutputSpec& output) {
  if (output.raw_esp) {
    own_esp_[{output.to.address, output.protect.spi}].push_back(output.source);
    for (const EpochKey& key : output.protect.keys) {
      const std::uint32_t spi = spi_of(output.protect, key.epoch);
      if (spi != output.protect.spi) own_esp_[{output.to.address, spi}].push_back(output.source);
    }
  } else {
    own_[output.to].push_back(output.source);
  }
}

// Those with a source come first on the probe path.
void FlowTable::add_legs(const Spec& spec, std::span<const std::uint8_t> worker_of, bool exact) {
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    const auto& legs = spec.streams[s].legs;
    for (std::size_t l = 0; l < legs.size(); ++l) {
      if (legs[l].from.has_value() != exact) continue;
      add_leg(legs[l], {static_cast<std::uint16_t>(s), static_cast<std::uint8_t>(l), worker_of[s]});
    }
  }
}

void FlowTable::add_leg(const LegSpec& leg, const Flow& flow) {
  std::uint16_t where = segment(leg.port, leg.vlan);
  if (where == kNoSegment) {
    where = static_cast<std::uint16_t>(ports_ + segments_.size());
    segments_.push_back({leg.port, leg.vlan});
  }
  if (!is_row4(leg)) {
    Row6 row{leg.to.address, leg.from.value_or(IpAddress{}), leg.to.udp_port,
             where,          !leg.from.has_value(),          flow};
    if (!leg.open.is_raw_esp()) return insert6(row);
    esp_places_.emplace(leg.to.address, where);
    for (const EpochKey& key : leg.open.keys) {
      row.number = number_of_spi(leg.open.spi_of(key.epoch));
      insert6(row);
    }
    return;
  }
  Row4 row{in_frame_order(leg.to, where), leg.from ? in_frame_order(*leg.from) : 0, flow.stream,
           flow.leg,
           static_cast<std::uint8_t>(flow.worker | (own_.contains(leg.to) ? Row4::kCheckOwn : 0))};
  insert4(row);
}

void FlowTable::insert4(Row4 row) {
  std::uint64_t i = _mm_crc32_u64(0, row.key);
  while (rows4_[i & mask4_].key != 0) ++i;
  rows4_[i & mask4_] = row;
}

void FlowTable::insert6(const Row6& row) {
  std::uint64_t i = hash6(row.destination, row.number, row.segment);
  while (rows6_[i & mask6_].flow.stream != Flow::kNone) ++i;
  rows6_[i & mask6_] = row;
}

std::uint64_t FlowTable::hash6(const IpAddress& destination, FlowNumber number,
                               std::uint16_t segment) noexcept {
  std::uint64_t hash = number << 16 | segment;
  hash = _mm_crc32_u64(hash, load_raw<std::uint64_t>(destination.bytes().data()));
  return _mm_crc32_u64(hash, load_raw<std::uint64_t>(destination.bytes().data() + 8));
}

const FlowTable::Row6* FlowTable::find_row6(const IpAddress& source, const IpAddress& to,
                                            FlowNumber number,
                                            std::uint16_t segment) const noexcept {
  for (std::uint64_t i = hash6(to, number, segment);; ++i) {
    const Row6& row = rows6_[i & mask6_];
    if (row.flow.stream == Flow::kNone) return nullptr;
    if (row.destination != to || row.number != number || row.segment != segment) continue;
    if (row.any_source || row.source == source) return &row;
  }
}

Flow FlowTable::find6(const IpAddress& source, const Endpoint& to,
                      std::uint16_t segment) const noexcept {
  const Row6* row = find_row6(source, to.address, to.udp_port, segment);
  return row == nullptr || is_own(source, to) ? Flow{} : row->flow;
}

Flow FlowTable::find_esp(const EspFlow& packet, std::uint16_t segment) const noexcept {
  const auto number = number_of_spi(packet.spi);
  const Row6* row = find_row6(packet.source, packet.destination, number, segment);
  return row == nullptr || is_own(packet) ? Flow{} : row->flow;
}

FlowMiss FlowTable::why_not(const IpAddress& source, const Endpoint& to,
                            std::uint16_t segment) const noexcept {
  if (is_own(source, to)) return FlowMiss::OwnSource;
  const bool known =
      to.address.is_v4() ? knows4(to, segment) : knows6(to.address, to.udp_port, segment);
  return known ? FlowMiss::SourceFilter : FlowMiss::NoFeed;
}

FlowMiss FlowTable::why_not(const EspFlow& packet, std::uint16_t segment) const noexcept {
  if (is_own(packet)) return FlowMiss::OwnSource;
  if (knows6(packet.destination, number_of_spi(packet.spi), segment)) return FlowMiss::SourceFilter;
  return esp_places_.contains({packet.destination, segment}) ? FlowMiss::OtherSpi
                                                             : FlowMiss::NoFeed;
}

// Does any leg have this destination, whatever its source?
bool FlowTable::knows4(const Endpoint& to, std::uint16_t segment) const noexcept {
  const std::uint64_t key = in_frame_order(to, segment);
  for (std::uint64_t i = _mm_crc32_u64(0, key); rows4_[i & mask4_].key != 0; ++i) {
    if (rows4_[i & mask4_].key == key) return true;
  }
  return false;
}

bool FlowTable::knows6(const IpAddress& to, FlowNumber number,
                       std::uint16_t segment) const noexcept {
  for (std::uint64_t i = hash6(to, number, segment);; ++i) {
    const Row6& row = rows6_[i & mask6_];
    if (row.flow.stream == Flow::kNone) return false;
    if (row.destination == to && row.number == number && row.segment == segment) return true;
  }
}

bool FlowTable::is_own(const IpAddress& source, const Endpoint& to) const noexcept {
  const auto found = own_.find(to);
  return found != own_.end() && std::ranges::find(found->second, source) != found->second.end();
}

bool FlowTable::is_own(const EspFlow& packet) const noexcept {
  const auto found = own_esp_.find({packet.destination, packet.spi});
  return found != own_esp_.end() &&
         std::ranges::find(found->second, packet.source) != found->second.end();
}

bool FlowTable::is_own4(std::uint64_t key, std::uint32_t source) const noexcept {
  std::array<unsigned char, 8> bytes{};
  std::memcpy(bytes.data(), &key, sizeof key);
  const Endpoint to{IpAddress::v4(load_be32(bytes.data())), load_be16(&bytes[6])};
  return is_own(IpAddress::v4(std::byteswap(source)), to);
}

std::uint16_t FlowTable::segment(unsigned port, const VlanTags& tags) const noexcept {
  if (tags.count() == 0) return static_cast<std::uint16_t>(port);
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].port == port && segments_[i].tags == tags) {
      return static_cast<std::uint16_t>(ports_ + i);
    }
  }
  return kNoSegment;
}

}  // namespace castgate
