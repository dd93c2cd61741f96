// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "dataplane/packet_ring.h"
#include "dataplane/stage.h"

namespace castgate {

// Another worker, as far as it serves clients of our streams.
struct FanLink {
  PacketRing* ring = nullptr;   // to it; null: it is ourselves
  rte_mempool* pool = nullptr;  // its own
};

// Gives other workers the packets of streams of which they have clients. Each gets one copy, made
// here into a buffer of its own pool: what waits there takes no buffer from the stream's worker,
// and nobody counts references to a payload but the worker that sends it.
class FanLinks {
 public:
  // `links`: by worker. `bin`: counts what could not be handed over.
  FanLinks(std::span<const FanLink> links, DropBin& bin);

  // A whole frame, with its tag. False: it was counted as a drop instead. One is as good as created
  // either way.
  bool send(unsigned worker, const rte_mbuf* packet) noexcept;
  // The burst's end: into the rings.
  void flush() noexcept {
    for (RingWriter& writer : writers_) writer.put();
  }

  std::uint64_t waiting() const noexcept;  // packets that found their ring full
  std::uint64_t handed_over() const noexcept;

 private:
  std::deque<RingWriter> writers_;   // by worker
  std::vector<rte_mempool*> pools_;  // likewise
  DropBin& bin_;
};

}  // namespace castgate
