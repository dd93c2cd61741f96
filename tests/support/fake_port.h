// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <vector>

#include "drivers/port.h"
#include "tests/support/packets.h"

namespace castgate::test {

// A port without a device: keeps the bytes of what was sent, as long as `accepts` lasts.
class FakePort final : public Port {
 public:
  explicit FakePort(bool chains = true) {
    facts_.name = "fake";
    facts_.driver = "fake";
    facts_.mac = {{2, 0, 0, 0, 0, 9}};
    facts_.multi_segment_tx = chains;
  }

  unsigned receive(unsigned /*queue*/, std::span<rte_mbuf*> /*burst*/) noexcept override {
    return 0;
  }
  unsigned transmit(unsigned /*queue*/, std::span<rte_mbuf* const> burst) noexcept override {
    unsigned taken = 0;
    for (; taken < burst.size() && accepts != 0; ++taken, --accepts) {
      Bytes bytes;
      for (const rte_mbuf* part = burst[taken]; part != nullptr; part = part->next) {
        const auto* data = rte_pktmbuf_mtod(part, const std::uint8_t*);
        bytes.insert(bytes.end(), data, data + part->data_len);
      }
      sent.push_back(std::move(bytes));
      rte_pktmbuf_free(burst[taken]);
    }
    return taken;
  }
  bool link_up() const noexcept override { return up; }
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return {}; }

  std::vector<Bytes> sent;
  std::uint64_t accepts = UINT64_MAX;
  bool up = true;

 private:
  PortFacts facts_;
};

}  // namespace castgate::test
