// SPDX-License-Identifier: Apache-2.0
// Real mbufs and ports for tests of the drivers: no root, no hugepages, no device.
#pragma once

#include <cstring>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "drivers/eal.h"
#include "drivers/packet_pool.h"

namespace castgate::test {

using Bytes = std::vector<std::uint8_t>;

// Bytes that tell their place: a shifted, stale or repeated byte does not compare equal.
inline Bytes pattern(std::size_t length, unsigned seed = 1) {
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<std::uint8_t>((i * 131 + i / 251 * 17 + std::size_t{seed} * 29) & 0xff);
  }
  return bytes;
}

inline rte_mbuf* one_segment(rte_mempool* pool, const Bytes& bytes) {
  rte_mbuf* packet = rte_pktmbuf_alloc(pool);
  if (packet == nullptr) return nullptr;
  char* room = rte_pktmbuf_append(packet, static_cast<std::uint16_t>(bytes.size()));
  if (room != nullptr) std::memcpy(room, bytes.data(), bytes.size());
  return packet;
}

// As replicate sends: a header of its own before a payload that others may share.
inline rte_mbuf* chain(rte_mempool* pool, const Bytes& header, rte_mbuf* payload) {
  rte_mbuf* head = one_segment(pool, header);
  head->next = payload;
  head->nb_segs = static_cast<std::uint16_t>(payload->nb_segs + 1);
  head->pkt_len += payload->pkt_len;
  return head;
}

inline Bytes bytes_of(const rte_mbuf* packet) {
  Bytes bytes;
  for (; packet != nullptr; packet = packet->next) {
    const auto* data = rte_pktmbuf_mtod(packet, const std::uint8_t*);
    bytes.insert(bytes.end(), data, data + packet->data_len);
  }
  return bytes;
}

// EAL once per process, a pool per test; the pool is at its baseline after every test.
class DriverTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    static const auto started = start_eal({.memory_bytes = 128u << 20});
    ASSERT_TRUE(started) << started.error().text;
  }
  void SetUp() override {
    auto pool = PacketPool::make({.name = "test", .packets = 4095, .cache = 256});
    ASSERT_TRUE(pool) << pool.error().text;
    pool_.emplace(std::move(*pool));
  }
  void TearDown() override {
    EXPECT_EQ(pool_->in_use(), 0u);
    pool_.reset();
  }
  rte_mempool* pool() const { return pool_->get(); }

  std::optional<PacketPool> pool_;
};

}  // namespace castgate::test
