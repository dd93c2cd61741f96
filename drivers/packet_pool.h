// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "dataplane/base/error.h"

namespace castgate {

// Bytes that a buffer offers behind its headroom, for frames of up to `max_frame`; also the size of
// a frame in the kernel's ring below net_af_packet, which must not be larger.
unsigned frame_room(unsigned max_frame) noexcept;

struct PacketPoolOptions {
  std::string name;           // for messages; the pool's own name is made unique
  unsigned packets = 8191;    // 2^k - 1 wastes no memory
  unsigned max_frame = 1518;  // a frame of this many bytes fits one segment
  unsigned cache = 512;       // per lcore; 32 is as slow as none, 512 is DPDK's limit
  bool heads_only = false;    // for headers before a payload that lies elsewhere: small buffers
};

// Packet buffers of one worker. Every packet must be back before it dies.
class PacketPool {
 public:
  static Result<PacketPool> make(const PacketPoolOptions& options);
  // What `make` takes from EAL's memory, bytes, within a few percent.
  static std::size_t footprint(const PacketPoolOptions& options) noexcept;

  PacketPool(PacketPool&& other) noexcept;
  PacketPool& operator=(PacketPool&& other) noexcept;
  ~PacketPool();

  rte_mempool* get() const noexcept { return pool_; }
  unsigned in_use() const noexcept { return rte_mempool_in_use_count(pool_); }

 private:
  explicit PacketPool(rte_mempool* pool) noexcept : pool_(pool) {}

  rte_mempool* pool_ = nullptr;
};

}  // namespace castgate
