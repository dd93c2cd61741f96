// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/base/error.h"
#include "dataplane/stage.h"

namespace castgate {

// One thread puts packets in, one takes them out. Whatever is left when it dies is freed.
class PacketRing {
 public:
  // `slots`: a power of two.
  static Result<PacketRing> make(const std::string& name, unsigned slots);

  // The front of `packets` goes in; returns how many. The rest stay the caller's.
  unsigned put(std::span<rte_mbuf* const> packets) noexcept {
    return rte_ring_sp_enqueue_burst(ring_.get(), reinterpret_cast<void* const*>(packets.data()),
                                     static_cast<unsigned>(packets.size()), nullptr);
  }
  unsigned take(std::span<rte_mbuf*> packets) noexcept {
    return rte_ring_sc_dequeue_burst(ring_.get(), reinterpret_cast<void**>(packets.data()),
                                     static_cast<unsigned>(packets.size()), nullptr);
  }
  unsigned waiting() const noexcept { return rte_ring_count(ring_.get()); }

 private:
  struct Closer {
    void operator()(rte_ring* ring) const noexcept;
  };

  explicit PacketRing(rte_ring* ring) noexcept : ring_(ring) {}

  std::unique_ptr<rte_ring, Closer> ring_;
};

// Packets on their way into a ring to another worker: in bulk, once a turn. What a full ring
// refuses waits for the next turn. One worker's alone; what waits at the end is freed.
class RingWriter {
 public:
  explicit RingWriter(PacketRing* ring = nullptr) noexcept : ring_(ring) {}
  RingWriter(const RingWriter&) = delete;
  RingWriter& operator=(const RingWriter&) = delete;
  ~RingWriter() { (void)abandon(); }

  // False: there is nowhere to wait either.
  bool has_room() noexcept {
    if (count_ == kBurst) put();
    return count_ != kBurst;
  }
  // Expects has_room().
  void add(rte_mbuf* packet) noexcept { pending_[count_++] = packet; }
  void put() noexcept;
  // Frees what waits; says how much it was.
  unsigned abandon() noexcept;

  unsigned waiting() const noexcept { return count_; }
  std::uint64_t handed_over() const noexcept { return handed_over_; }

 private:
  PacketRing* ring_;
  unsigned count_ = 0;
  std::uint64_t handed_over_ = 0;
  std::array<rte_mbuf*, kBurst> pending_{};
};

}  // namespace castgate
