// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replicate/fan_links.h"

#include <cstring>

#include <rte_mempool.h>

namespace castgate {
namespace {

// Past the cache of this lcore: it would keep hundreds of the other worker's buffers to itself.
rte_mbuf* take_buffer(rte_mempool* pool) noexcept {
  void* object = nullptr;
  if (rte_mempool_generic_get(pool, &object, 1, nullptr) != 0) return nullptr;
  auto* made = static_cast<rte_mbuf*>(object);
  rte_pktmbuf_reset(made);
  rte_mbuf_refcnt_set(made, 1);
  return made;
}

}  // namespace

FanLinks::FanLinks(std::span<const FanLink> links, DropBin& bin) : bin_(bin) {
  for (const FanLink& link : links) {
    writers_.emplace_back(link.ring);
    pools_.push_back(link.pool);
  }
}

bool FanLinks::send(unsigned worker, const rte_mbuf* packet) noexcept {
  RingWriter& writer = writers_[worker];
  if (!writer.has_room()) {
    bin_.note(DropReason::Backlog);
    return false;
  }
  rte_mbuf* copy = take_buffer(pools_[worker]);
  char* to = copy == nullptr ? nullptr : rte_pktmbuf_append(copy, packet->data_len);
  if (to == nullptr) {
    rte_pktmbuf_free(copy);
    bin_.note(DropReason::CopyFailed);
    return false;
  }
  std::memcpy(to, rte_pktmbuf_mtod(packet, const char*), packet->data_len);
  set_tag(copy, tag_of(packet));
  writer.add(copy);
  return true;
}

std::uint64_t FanLinks::waiting() const noexcept {
  std::uint64_t sum = 0;
  for (const RingWriter& writer : writers_) sum += writer.waiting();
  return sum;
}

std::uint64_t FanLinks::handed_over() const noexcept {
  std::uint64_t sum = 0;
  for (const RingWriter& writer : writers_) sum += writer.handed_over();
  return sum;
}

}  // namespace castgate
