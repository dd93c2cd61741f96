// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/base/check.h"

namespace castgate {

// A datagram's payload as it was received. Aligned, as the merge window asks of packets.
struct alignas(64) NodePacket {
  static constexpr std::size_t kLongest = 9728;  // jumbo frames, and what a fingerprint looks at

  std::uint32_t length;
  std::array<std::byte, kLongest> bytes;

  std::span<const std::byte> payload() const noexcept { return {bytes.data(), length}; }
};

// All the packets there are, made at start; memory that was never used is never touched.
class PacketStore {
 public:
  explicit PacketStore(std::size_t count)
      : packets_(std::make_unique_for_overwrite<NodePacket[]>(count)), count_(count) {
    free_.reserve(count);
    for (std::size_t i = count; i-- != 0;) free_.push_back(&packets_[i]);
  }

  std::size_t available() const noexcept { return free_.size(); }
  std::size_t in_use() const noexcept { return count_ - free_.size(); }
  // Null where there is none left.
  NodePacket* take() noexcept {
    if (free_.empty()) return nullptr;
    NodePacket* taken = free_.back();
    free_.pop_back();
    return taken;
  }
  void give_back(NodePacket* packet) noexcept {
    CG_DCHECK(free_.size() < count_);
    free_.push_back(packet);  // reserved: never allocates
  }

 private:
  std::unique_ptr<NodePacket[]> packets_;
  std::size_t count_;
  std::vector<NodePacket*> free_;
};

}  // namespace castgate
