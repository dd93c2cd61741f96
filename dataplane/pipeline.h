// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "dataplane/classify/classify_stage.h"
#include "dataplane/contract/snapshot.h"
#include "dataplane/event_sink.h"
#include "dataplane/failover/failover_stage.h"
#include "dataplane/replicate/replicate_stage.h"
#include "dataplane/transmit/transmit_stage.h"
#include "drivers/port.h"

namespace castgate {

struct PipelineParts {
  const Spec& spec;
  const FlowTable& flows;
  unsigned worker = 0;
  std::vector<bool> mine;  // by stream index: does this worker serve it
  std::vector<Port*> ports;
  std::vector<unsigned> tx_queues;  // by port index
  std::vector<bool> over_ring;      // by port index: another worker sends there
  rte_mempool* pool = nullptr;      // headers, copies, frames made one segment
  std::uint64_t held_limit = UINT64_MAX;
  std::uint64_t fingerprint_seed = 1;  // live: another at each start
  ClassifyExits* exits = nullptr;
  EventSink* events = nullptr;
};

// The stages of one worker, from a received burst to the drivers: classify, failover, replicate,
// transmit. One worker's alone.
class Pipeline {
 public:
  explicit Pipeline(const PipelineParts& parts);

  void receive(unsigned port, std::span<rte_mbuf* const> burst, Instant now) noexcept {
    classify_.receive(port, burst, now);
  }
  void discard(unsigned port, std::span<rte_mbuf* const> burst, DropReason why) noexcept {
    classify_.discard(port, burst, why);
  }
  // Packets that another worker classified: tagged, of our streams.
  void take_over(std::span<rte_mbuf* const> burst, Instant now) noexcept {
    taken_over_.add(burst.size());
    failover_.process(burst, now);
  }
  // A frame of the host stack's, whole and ready to leave.
  void inject(unsigned port, rte_mbuf* packet) noexcept {
    injected_.add();
    transmit_.add(port, packet);
  }
  // Another worker's packets for a port whose queue is ours.
  void relay(unsigned port, std::span<rte_mbuf* const> burst) noexcept {
    relayed_.add(burst.size());
    for (rte_mbuf* packet : burst) transmit_.add(port, packet);
  }
  Instant next_deadline() const noexcept { return failover_.next_deadline(); }
  void tick(Instant now) noexcept { failover_.tick(now); }
  void flush() noexcept { transmit_.flush(); }
  void drain(Instant now) noexcept;
  std::uint64_t held() const noexcept { return failover_.held() + transmit_.waiting(); }

  // Fills what this worker knows of stream `s`, at most a few microseconds of work.
  void snapshot_stream(std::size_t s, StreamSnapshot& into) const;
  // Adds this worker's drops and its part of the ledger. What is between two workers is held: it
  // is taken from `held` where it comes out of a ring, so only the sum over all workers is true.
  void add_counters(Snapshot& into) const;

 private:
  TransmitStage transmit_;
  ReplicateStage replicate_;
  FailoverStage failover_;
  ClassifyStage classify_;
  Counter taken_over_;
  Counter injected_;
  Counter relayed_;
  std::vector<bool> over_ring_;
};

// A snapshot with every name in place and every counter zero.
Snapshot empty_snapshot(const Spec& spec, std::span<Port* const> ports);
// Adds what the drivers count.
void add_port_stats(std::span<Port* const> ports, Snapshot& into);

}  // namespace castgate
