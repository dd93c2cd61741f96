// SPDX-License-Identifier: Apache-2.0
// A protect stage that is given packets by hand, and what leaves it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/protect/protect_stage.h"
#include "tests/support/restamp_lab.h"
#include "tests/support/srtp_opener.h"

namespace castgate::test {

// Keeps what it is given.
class KeepingStage final : public Stage {
 public:
  void process(std::span<rte_mbuf* const> burst, Instant) noexcept override {
    for (rte_mbuf* packet : burst) {
      tags.push_back(tag_of(packet));
      frames.push_back(bytes_of(packet));
      rte_pktmbuf_free(packet);
    }
  }
  std::vector<PacketTag> tags;
  std::vector<Bytes> frames;
};

class ProtectLab : public RestampTest {
 protected:
  ProtectSpec& protect() { return spliced().outputs[0].protect; }
  // As spliced() is now, after what was before.
  void make() {
    if (!stage_) {
      stage_ = make_protect_stage(4);
      stage_->connect(sink_, pool());
    }
    Renditions renditions = make_renditions(spliced(), stage_->ciphers());
    stage_->install(0, renditions);
  }
  rte_mbuf* packet_of(const Bytes& payload) {
    Frame frame;
    frame.payload = payload;
    frame.ttl = 9;
    frame.tos = 0xb8;
    rte_mbuf* packet = one_segment(pool(), frame.bytes());
    set_tag(packet, {.stream = 0, .leg = 0, .worker = 3, .udp_at = 34, .l3_at = 14, .flags = 0});
    return packet;
  }
  void offer(rte_mbuf* packet, Instant now = {1}) {
    stage_->process({&packet, 1}, now);
    stage_->work();
  }
  void offer(const Bytes& payload, Instant now = {1}) { offer(packet_of(payload), now); }
  std::uint64_t dropped(DropReason why) const {
    return stage_->drops()[static_cast<std::size_t>(why)].get();
  }
  static Bytes sealed_of(const Bytes& frame) { return {frame.begin() + kPayload, frame.end()}; }

  std::unique_ptr<ProtectStage> stage_;
  KeepingStage sink_;
};

}  // namespace castgate::test
