// SPDX-License-Identifier: Apache-2.0
#include "drivers/packet_pool.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <utility>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf_pool_ops.h>

namespace castgate {
namespace {

std::uint16_t data_room(const PacketPoolOptions& options) noexcept {
  constexpr unsigned kHeadRoom = 128;
  if (options.heads_only) return RTE_PKTMBUF_HEADROOM + kHeadRoom;
  constexpr unsigned kMost = UINT16_MAX - RTE_PKTMBUF_HEADROOM;
  return static_cast<std::uint16_t>(RTE_PKTMBUF_HEADROOM +
                                    std::min(frame_room(options.max_frame), kMost));
}

// As rte_pktmbuf_pool_create, but without the gaps that it leaves so that no packet crosses a page:
// net_af_xdp registers only packets × size bytes with the kernel, which then loses every packet
// beyond. Where DMA knows virtual addresses nobody needs the gaps, and 4 KiB pages make them 70 %.
rte_mempool* create(const char* name, const PacketPoolOptions& options, unsigned cache) {
  const std::uint16_t room = data_room(options);
  if (rte_eal_iova_mode() != RTE_IOVA_VA) {
    return rte_pktmbuf_pool_create(name, options.packets, cache, 0, room, SOCKET_ID_ANY);
  }
  constexpr unsigned kPrivate = sizeof(rte_pktmbuf_pool_private);
  rte_mempool* pool =
      rte_mempool_create_empty(name, options.packets, sizeof(rte_mbuf) + room, cache, kPrivate,
                               SOCKET_ID_ANY, RTE_MEMPOOL_F_NO_IOVA_CONTIG);
  if (pool == nullptr) return nullptr;
  rte_pktmbuf_pool_private shape{};
  shape.mbuf_data_room_size = room;
  int error = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), nullptr);
  if (error == 0) {
    rte_pktmbuf_pool_init(pool, &shape);
    const int populated = rte_mempool_populate_default(pool);
    error = populated < 0 ? populated : 0;
  }
  if (error != 0) {
    rte_mempool_free(pool);
    rte_errno = -error;
    return nullptr;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  return pool;
}

}  // namespace

unsigned frame_room(unsigned max_frame) noexcept {
  constexpr unsigned kLeast = 2048;  // drivers expect it, whatever the frames are
  constexpr unsigned kStep = 1024;
  constexpr unsigned kTags = 8;            // two VLAN tags may still be pushed
  constexpr unsigned kKernelHeaders = 66;  // what AF_PACKET puts before a frame of its ring
  const unsigned wanted = max_frame + kTags + kKernelHeaders;
  return std::max(kLeast, (wanted + kStep - 1) / kStep * kStep);
}

std::size_t PacketPool::footprint(const PacketPoolOptions& options) noexcept {
  constexpr std::size_t kHeaders = sizeof(rte_mbuf) + std::size_t{2} * RTE_CACHE_LINE_SIZE;
  return options.packets * (kHeaders + data_room(options));
}

Result<PacketPool> PacketPool::make(const PacketPoolOptions& options) {
  static std::atomic<unsigned> made{0};
  const std::string name = fmt::format("pool{}", made.fetch_add(1));
  // DPDK refuses a cache that one and a half times over is more than the pool.
  const unsigned cache = std::min({options.cache, 512u, options.packets / 3 * 2});
  rte_mempool* pool = create(name.c_str(), options, cache);
  if (pool != nullptr) return PacketPool(pool);
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  return fail(
      fmt::format("packet pool {}: {}; {} packets of up to {} bytes take {} MiB: raise "
                  "appliance.hugepages, or lower max_frame, max_skew or max_rate",
                  options.name, rte_strerror(rte_errno), options.packets, options.max_frame,
                  footprint(options) / kMiB + 1));
}

PacketPool::PacketPool(PacketPool&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}

PacketPool& PacketPool::operator=(PacketPool&& other) noexcept {
  std::swap(pool_, other.pool_);
  return *this;
}

PacketPool::~PacketPool() {
  rte_mempool_free(pool_);
}

}  // namespace castgate
