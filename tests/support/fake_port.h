// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "drivers/port.h"
#include "tests/support/packets.h"
#include "tests/support/quiet_eal.h"

namespace castgate::test {

// A port without a device: keeps the bytes of what was sent, as long as `accepts` lasts.
class FakePort final : public Port {
 public:
  explicit FakePort(bool chains = true, const MacAddress& mac = {{2, 0, 0, 0, 0, 9}}) {
    facts_.name = "fake";
    facts_.driver = "fake";
    facts_.mac = mac;
    facts_.multi_segment_tx = chains;
  }

  unsigned receive(unsigned /*queue*/, std::span<rte_mbuf*> /*burst*/) noexcept override {
    return 0;
  }
  unsigned transmit(unsigned /*queue*/, std::span<rte_mbuf* const> burst) noexcept override {
    unsigned taken = 0;
    for (; taken < burst.size() && accepts != 0; ++taken, --accepts) {
      if (keep) sent.push_back(bytes_of(burst[taken]));
      rte_pktmbuf_free(burst[taken]);
    }
    return taken;
  }
  bool link_up() const noexcept override { return up; }
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return {}; }

  std::vector<Bytes> sent;
  std::uint64_t accepts = UINT64_MAX;
  bool keep = true;
  bool up = true;

 private:
  PortFacts facts_;
};

}  // namespace castgate::test
