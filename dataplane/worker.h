// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <rte_rcu_qsbr.h>

#include "dataplane/base/value_ring.h"
#include "dataplane/contract/commands.h"
#include "dataplane/event_ring.h"
#include "dataplane/packet_ring.h"
#include "dataplane/pipeline.h"
#include "dataplane/punt/punt_stage.h"
#include "dataplane/tsc_clock.h"

namespace castgate {

// A port's receive queue that this worker polls.
struct PollDuty {
  Port* port;
  unsigned index;  // into Spec::ports
  unsigned queue;
};

// Packets of `port` that another worker made ready; this worker owns the port's transmit queue.
struct SendDuty {
  unsigned index;
  PacketRing* ring;
};

struct WorkerParts {
  PipelineParts pipeline;
  unsigned core = 0;
  Polling polling = Polling::Adaptive;
  std::vector<PollDuty> polls;
  std::vector<SendDuty> sends;
  std::vector<PacketRing*> hand_over_to;    // by worker; null for itself
  std::vector<PacketRing*> take_over_from;  // without itself
  std::vector<PacketRing*> fan_from;        // likewise: packets for our part of a stream's clients
  PacketRing* inject = nullptr;             // from the control thread, mbuf->port is the index
  PacketRing* punt = nullptr;               // to the control thread
  std::vector<bool> has_twin;               // by port index
  rte_rcu_qsbr* rcu = nullptr;
};

// A snapshot in the making: published by pointer, filled by the worker a few streams a turn, handed
// back by clearing the pointer. The control thread reads it after a grace period.
struct SnapshotJob {
  Snapshot* into = nullptr;
  std::size_t next_stream = 0;
};

// How workers end together, so that nothing is stranded in a ring between two of them. Each goes on
// serving its rings until Leave.
enum class WorkerPhase : std::uint8_t {
  Run,
  Settle,  // no reception; deadlines of what is held come
  Drain,   // what is still held goes at once
  Leave,   // the rings are emptied, run() returns
};

// Room for the joins of some tens of milliseconds in which the system gave the core to others.
using CommandRing = ValueRing<Command, 1024>;

// One core's poll loop around one pipeline. run() is the lcore's function; the rest is called by
// the control thread.
class Worker final : private ClassifyExits {
 public:
  explicit Worker(const WorkerParts& parts, const TscClock& clock);

  void run() noexcept;

  // Phases come in their order; each begins when every worker has finished the one before.
  void enter(WorkerPhase phase) noexcept { asked_.store(phase, std::memory_order_release); }
  // In Settle: nothing is held and the last turn found nothing to do. In Drain: done.
  bool finished(WorkerPhase phase) const noexcept {
    return finished_.load(std::memory_order_acquire) >= phase;
  }
  bool ask(SnapshotJob* job) noexcept;
  // The same at once, by the control thread: only before run() or after it returned.
  void fill(Snapshot& into) noexcept;
  bool busy_with_snapshot() const noexcept {
    return job_.load(std::memory_order_acquire) != nullptr;
  }

  // False while it has another one. The job is the worker's until busy_with_reload() is false.
  bool reload(ReloadJob* job) noexcept;
  bool busy_with_reload() const noexcept {
    return reload_.load(std::memory_order_acquire) != nullptr;
  }
  // Turns of its loop since start; for any thread.
  std::uint64_t turns() const noexcept { return loops_.get(); }

  Instant last_beat() const noexcept { return {beat_.load(std::memory_order_relaxed)}; }
  EventRing& events() noexcept { return *events_; }
  CommandRing& commands() noexcept { return *commands_; }
  // Carried out since start; for any thread.
  std::uint64_t commands_done() const noexcept { return commands_done_.get(); }
  // Before the first CaptureStart.
  void capture_into(ByteRing& ring) noexcept { pipeline_->capture_into(ring); }
  std::uint64_t capture_missed() const noexcept { return pipeline_->capture_missed(); }
  void count_into(WorkerSnapshot& into) const noexcept;

 private:
  WorkerPhase asked() const noexcept { return asked_.load(std::memory_order_acquire); }
  void discard_backlog() noexcept;
  unsigned poll(Instant now) noexcept;
  unsigned serve(Instant now) noexcept;
  unsigned take_rings(Instant now) noexcept;
  bool has_nothing_left() const noexcept;
  void serve_commands(Instant now) noexcept;
  void serve_snapshot() noexcept;
  void serve_reload(Instant now) noexcept;
  void add_totals(Snapshot& into) noexcept;
  void rest(Instant now) noexcept;
  void finish() noexcept;

  bool hand_over(rte_mbuf* packet, unsigned worker) noexcept override;
  bool punt(rte_mbuf* packet, unsigned port, HostKind kind, Instant now) noexcept override;

  WorkerParts parts_;
  const TscClock& clock_;
  std::unique_ptr<EventRing> events_ = std::make_unique<EventRing>();
  std::unique_ptr<CommandRing> commands_ = std::make_unique<CommandRing>();
  PuntStage punt_;
  std::vector<RingWriter> hand_over_;  // by worker
  std::uint64_t abandoned_ = 0;        // of them, at the end
  Counter commands_done_;
  std::unique_ptr<Pipeline> pipeline_;
  std::atomic<SnapshotJob*> job_{nullptr};
  std::atomic<ReloadJob*> reload_{nullptr};
  std::atomic<WorkerPhase> asked_{WorkerPhase::Run};
  std::atomic<WorkerPhase> finished_{WorkerPhase::Run};
  unsigned idle_turns_ = 0;
  alignas(64) std::atomic<std::int64_t> beat_{0};
  Counter loops_;
  Counter busy_loops_;
  Counter packets_;
};

}  // namespace castgate
