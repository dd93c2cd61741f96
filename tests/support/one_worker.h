// SPDX-License-Identifier: Apache-2.0
// A pipeline between ports of memory: frames in as bytes, frames out as bytes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/pipeline.h"
#include "tests/support/fake_port.h"
#include "tests/support/packets.h"
#include "tests/support/quiet_eal.h"

namespace castgate::test {

struct NoExits final : ClassifyExits {
  bool hand_over(rte_mbuf*, unsigned) noexcept override { return false; }
  bool punt(rte_mbuf*, unsigned, HostKind, Instant) noexcept override { return false; }
};

struct NoEvents final : EventSink {
  void report(const Event&) noexcept override {}
};

inline const MacAddress kOurMac{{0x02, 0, 0, 0, 0, 0xaa}};

// One port, all streams on one worker.
struct OneWorker {
  OneWorker(const Spec& spec, rte_mempool* pool, bool chains)
      : spec_(spec),
        port(chains, kOurMac),
        flows_(spec_, std::vector<std::uint8_t>(spec.streams.size())),
        pool_(pool) {
    pipeline = std::make_unique<Pipeline>(
        PipelineParts{.spec = spec_,
                      .flows = flows_,
                      .mine = std::vector<bool>(spec.streams.size(), true),
                      .ports = {&port},
                      .tx_queues = {0},
                      .pool = pool,
                      .streams = 16,
                      .exits = &exits_,
                      .events = &events_});
  }
  void receive(std::span<rte_mbuf* const> burst) {
    now = now + Nanoseconds{1'000};
    pipeline->receive(0, burst, now);
    if (pipeline->next_deadline() <= now) pipeline->tick(now);
    pipeline->flush();
  }
  void receive(const Bytes& frame) {
    rte_mbuf* packet = one_segment(pool_, frame);
    ASSERT_NE(packet, nullptr);
    receive({&packet, 1});
  }
  Snapshot counters() const {
    Port* ports[] = {const_cast<FakePort*>(&port)};
    Snapshot made = empty_snapshot(spec_, ports);
    pipeline->add_counters(made);
    return made;
  }
  std::uint64_t dropped(DropReason reason) const {
    return counters().drops[static_cast<std::size_t>(reason)];
  }

 private:
  Spec spec_;

 public:
  FakePort port;
  Instant now{1'000'000'000};

 private:
  FlowTable flows_;
  rte_mempool* pool_;
  NoExits exits_;
  NoEvents events_;

 public:
  std::unique_ptr<Pipeline> pipeline;  // last: it lets its packets go through all of the above
};

// RTP with a payload that tells its place.
inline Bytes rtp(unsigned sequence, std::size_t length) {
  Bytes made{0x80, 0x60};
  put16(made, sequence);
  put32(made, 0);
  put32(made, 0x5eed);
  append(made, pattern(length - 12, sequence));
  return made;
}

}  // namespace castgate::test
