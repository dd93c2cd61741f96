// SPDX-License-Identifier: Apache-2.0
#include "dataplane/worker.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <sys/prctl.h>

namespace castgate {
namespace {

constexpr unsigned kCommandsPerTurn = 8;
// Of a turn, for streams that come, change or go; one is always served.
constexpr Nanoseconds kReloadPerTurn{20'000};
constexpr std::size_t kStreamsPerTurn = 4;  // of a snapshot: a few microseconds
// More than any receive ring holds, and an end where packets come as fast as we free them.
constexpr unsigned kBacklogBursts = 4096;
// Adaptive polling: this many turns without a packet before the first nap, and ten times as many
// before the longer one. A nap is far shorter than what a receive ring of 1024 can wait for.
constexpr unsigned kTurnsToNap = 2000;
constexpr unsigned kTurnsToLongNap = 2200;
constexpr Nanoseconds kNap{50'000};
constexpr Nanoseconds kLongNap{250'000};

}  // namespace

Worker::Worker(const WorkerParts& parts, const TscClock& clock)
    : parts_(parts),
      clock_(clock),
      punt_(parts.has_twin, *parts.punt),
      hand_over_(parts.hand_over_to.begin(), parts.hand_over_to.end()) {
  parts_.pipeline.exits = this;
  parts_.pipeline.events = events_.get();
  pipeline_ = std::make_unique<Pipeline>(parts_.pipeline);
  beat_.store(clock.now().ns, std::memory_order_relaxed);
}

// NOLINTNEXTLINE(bugprone-exception-escape): format_to_n throws for a bad format, checked here.
void Worker::run() noexcept {
  const unsigned id = parts_.pipeline.worker;
  std::array<char, 16> name{};  // as top -H shows it
  *fmt::format_to_n(name.data(), name.size() - 1, "worker-core{}", parts_.core).out = '\0';
  prctl(PR_SET_NAME, name.data());
  prctl(PR_SET_TIMERSLACK, 1000UL);
  rte_rcu_qsbr_thread_register(parts_.rcu, id);
  rte_rcu_qsbr_thread_online(parts_.rcu, id);
  discard_backlog();
  while (asked() == WorkerPhase::Run) {
    const Instant now = clock_.now();
    const unsigned received = poll(now);
    const unsigned packets = received + serve(now);
    if (packets != 0 || !pipeline_->idle()) {
      busy_loops_.add();
      packets_.add(packets);
      idle_turns_ = 0;
    } else if (parts_.polling == Polling::Adaptive) {
      rest(now);
    }
  }
  finish();
  rte_rcu_qsbr_thread_offline(parts_.rcu, id);
  rte_rcu_qsbr_thread_unregister(parts_.rcu, id);
}

// Ports open one after the other, which takes a NIC a second: what the first of them received
// meanwhile is old, without a copy on the other legs, and followed by what its ring could not hold.
void Worker::discard_backlog() noexcept {
  std::array<rte_mbuf*, kBurst> burst;
  for (const PollDuty& duty : parts_.polls) {
    if (!duty.port->facts().is_wire) continue;
    for (unsigned turn = 0; turn < kBacklogBursts; ++turn) {
      const unsigned count = duty.port->receive(duty.queue, burst);
      if (count == 0) break;
      pipeline_->discard(duty.index, {burst.data(), count}, DropReason::BeforeStart);
    }
  }
}

unsigned Worker::poll(Instant now) noexcept {
  unsigned total = 0;
  std::array<rte_mbuf*, kBurst> burst;
  for (const PollDuty& duty : parts_.polls) {
    const unsigned count = duty.port->receive(duty.queue, burst);
    if (count == 0) continue;
    total += count;
    pipeline_->receive(duty.index, {burst.data(), count}, now);
  }
  return total;
}

// All of a turn but reception.
unsigned Worker::serve(Instant now) noexcept {
  pipeline_->set_time(now);
  serve_commands(now);
  for (RingWriter& to : hand_over_) to.put();
  const unsigned taken = take_rings(now);
  if (now >= pipeline_->next_deadline()) pipeline_->tick(now);
  pipeline_->flush();
  serve_snapshot();
  serve_reload(now);
  rte_rcu_qsbr_quiescent(parts_.rcu, parts_.pipeline.worker);
  beat_.store(now.ns, std::memory_order_relaxed);
  loops_.add();
  return taken;
}

// What other workers and the control thread have for us.
unsigned Worker::take_rings(Instant now) noexcept {
  unsigned total = 0;
  std::array<rte_mbuf*, kBurst> burst;
  for (PacketRing* ring : parts_.take_over_from) {
    const unsigned count = ring->take(burst);
    if (count != 0) pipeline_->take_over({burst.data(), count}, now);
    total += count;
  }
  for (PacketRing* ring : parts_.fan_from) {
    const unsigned count = ring->take(burst);
    if (count != 0) pipeline_->take_part({burst.data(), count}, now);
    total += count;
  }
  for (const SendDuty& duty : parts_.sends) {
    const unsigned count = duty.ring->take(burst);
    pipeline_->relay(duty.index, {burst.data(), count});
    total += count;
  }
  const unsigned injected = parts_.inject->take(burst);
  for (unsigned i = 0; i < injected; ++i) pipeline_->inject(burst[i]->port, burst[i]);
  return total + injected;
}

// New packets with nowhere to wait are dropped by classify.
bool Worker::hand_over(rte_mbuf* packet, unsigned worker) noexcept {
  RingWriter& to = hand_over_[worker];
  if (!to.has_room()) return false;
  to.add(packet);
  return true;
}

bool Worker::punt(rte_mbuf* packet, unsigned port, HostKind kind, Instant now) noexcept {
  return punt_.punt(packet, port, kind, now);
}

void Worker::serve_commands(Instant now) noexcept {
  Command command;
  for (unsigned i = 0; i < kCommandsPerTurn && commands_->take(command); ++i) {
    pipeline_->command(command, now);
    commands_done_.add();
  }
}

bool Worker::ask(SnapshotJob* job) noexcept {
  SnapshotJob* none = nullptr;
  return job_.compare_exchange_strong(none, job, std::memory_order_acq_rel);
}

void Worker::serve_snapshot() noexcept {
  SnapshotJob* job = job_.load(std::memory_order_acquire);
  if (job == nullptr) [[likely]]
    return;
  Snapshot& into = *job->into;
  const std::size_t end = std::min(job->next_stream + kStreamsPerTurn, into.streams.size());
  for (; job->next_stream < end; ++job->next_stream) {
    pipeline_->snapshot_stream(job->next_stream, into.streams[job->next_stream]);
  }
  if (job->next_stream < into.streams.size()) return;
  add_totals(into);
  job_.store(nullptr, std::memory_order_release);
}

bool Worker::reload(ReloadJob* job) noexcept {
  ReloadJob* none = nullptr;
  return reload_.compare_exchange_strong(none, job, std::memory_order_acq_rel);
}

void Worker::serve_reload(Instant now) noexcept {
  ReloadJob* job = reload_.load(std::memory_order_acquire);
  if (job == nullptr) [[likely]]
    return;
  if (!commands_->empty()) return;  // they are of what ran before
  const Instant begun = clock_.now();
  Nanoseconds took{0};
  while (job->next_kit < job->kits.size() && took < kReloadPerTurn) {
    StreamKit& kit = *job->kits[job->next_kit++];
    if (kit.goes) {
      pipeline_->remove(kit, now);
    } else {
      pipeline_->install(kit, now);
    }
    took = clock_.now() - begun;
  }
  pipeline_->flush();
  const bool done = job->next_kit == job->kits.size();
  if (done && job->flows != nullptr) pipeline_->set_flows(*job->flows);
  job->longest = std::max(job->longest, clock_.now() - begun);
  if (done) reload_.store(nullptr, std::memory_order_release);
}

void Worker::fill(Snapshot& into) noexcept {
  for (std::size_t s = 0; s < into.streams.size(); ++s) {
    pipeline_->snapshot_stream(s, into.streams[s]);
  }
  add_totals(into);
}

void Worker::add_totals(Snapshot& into) noexcept {
  const auto add = [&](DropCounts* also, DropReason reason, std::uint64_t count) {
    const auto r = static_cast<std::size_t>(reason);
    if (also != nullptr) (*also)[r] += count;
    into.drops[r] += count;
    into.ledger.dropped += count;
  };
  pipeline_->add_counters(into);
  for (const RingWriter& to : hand_over_) into.ledger.held += to.handed_over() + to.waiting();
  add(nullptr, DropReason::HandoverFull, abandoned_);
  for (std::size_t p = 0; p < into.ports.size(); ++p) {
    const auto port = static_cast<unsigned>(p);
    PortSnapshot& snapshot = into.ports[p];
    into.ledger.out += punt_.punted(port);
    snapshot.punted += punt_.punted(port);
    add(&snapshot.drops, DropReason::PuntPoliced, punt_.policed(port));
    add(&snapshot.drops, DropReason::PuntFull, punt_.full(port));
  }
}

void Worker::count_into(WorkerSnapshot& into) const noexcept {
  into.core = parts_.core;
  into.loops = loops_.get();
  into.busy_loops = busy_loops_.get();
  into.packets = packets_.get();
  into.last_beat_ns = last_beat().ns;
  into.capture_missed = capture_missed();
}

// Nothing to do for a while: sleeps, but not past a deadline, and offline so that nobody waits.
void Worker::rest(Instant now) noexcept {
  if (++idle_turns_ < kTurnsToNap) return;
  Nanoseconds nap = idle_turns_ < kTurnsToLongNap ? kNap : kLongNap;
  const Instant deadline = pipeline_->next_deadline();
  if (deadline != kNever) nap = std::min(nap, deadline - now);
  if (nap <= Nanoseconds{0}) return;
  idle_turns_ = std::min(idle_turns_, kTurnsToLongNap);
  rte_rcu_qsbr_thread_offline(parts_.rcu, parts_.pipeline.worker);
  const timespec span{0, nap.count()};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &span, nullptr);
  rte_rcu_qsbr_thread_online(parts_.rcu, parts_.pipeline.worker);
}

bool Worker::has_nothing_left() const noexcept {
  return pipeline_->held() == 0 && pipeline_->idle() &&
         std::ranges::all_of(hand_over_, [](const RingWriter& to) { return to.waiting() == 0; });
}

void Worker::finish() noexcept {
  while (asked() == WorkerPhase::Settle) {
    const bool idle = serve(clock_.now()) == 0 && has_nothing_left();
    finished_.store(idle ? WorkerPhase::Settle : WorkerPhase::Run, std::memory_order_release);
  }
  pipeline_->drain(clock_.now());
  // What leaves for other workers' parts of the clients leaves them for ports of third ones.
  while (asked() != WorkerPhase::Leave) {
    const bool idle = serve(clock_.now()) == 0 && has_nothing_left();
    finished_.store(idle ? WorkerPhase::Drain : WorkerPhase::Settle, std::memory_order_release);
  }
  while (serve(clock_.now()) != 0) {
  }
  pipeline_->drain(clock_.now());
  for (RingWriter& to : hand_over_) abandoned_ += to.abandon();
}

}  // namespace castgate
