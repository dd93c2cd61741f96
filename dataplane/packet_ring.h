// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/base/error.h"

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

}  // namespace castgate
