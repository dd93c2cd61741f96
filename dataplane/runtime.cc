// SPDX-License-Identifier: Apache-2.0
// The control thread's side of a running data plane.
#include "dataplane/contract/runtime.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "dataplane/end_together.h"
#include "dataplane/live_runtime.h"
#include "drivers/eal.h"

namespace castgate {
namespace {

// A worker answers within a few turns; one that does not is stuck, and its last numbers must do.
constexpr std::chrono::milliseconds kSnapshotPatience{10};
constexpr Nanoseconds kLinkCheck{5'000'000};
// Of one worker: what 100 ms at 1 Gbit/s bring.
constexpr std::size_t kCaptureRing = std::size_t{16} << 20;

}  // namespace

Result<std::unique_ptr<Runtime>> start_runtime(const Spec& spec) {
  return LiveRuntime::start(spec);
}

// Workers fill the snapshot one after the other: each adds its part to the same sums.
Snapshot LiveRuntime::snapshot() {
  const auto busy = [](const auto& worker) { return worker->busy_with_snapshot(); };
  if (std::ranges::none_of(running_, busy)) abandoned_.clear();
  auto request = std::make_unique<SnapshotRequest>();
  request->made = blank();
  for (const auto& worker : running_) {
    request->job = {&request->made, 0};
    if (drained_) {
      worker->fill(request->made);
    } else if (!worker->ask(&request->job)) {
      return last_;  // it is stuck with an earlier one
    } else if (!answers(*worker)) {
      // The worker may still write to it some day, so it stays where it is.
      abandoned_.push_back(std::move(request));
      return last_;
    }
  }
  last_ = std::move(request->made);
  return last_;
}

bool LiveRuntime::answers(const Worker& worker) {
  const auto give_up = std::chrono::steady_clock::now() + kSnapshotPatience;
  while (worker.busy_with_snapshot()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  return true;
}

bool LiveRuntime::poll_event(Event& event) {
  refresh_links();
  return std::ranges::any_of(running_,
                             [&](const auto& worker) { return worker->events().take(event); });
}

std::uint64_t LiveRuntime::missed_events() {
  std::uint64_t missed = 0;
  for (const auto& worker : running_) missed += worker->events().missed();
  return missed;
}

bool LiveRuntime::poll_punted(HostFrame& frame) {
  for (PacketRing* ring : punted_) {
    rte_mbuf* packet = nullptr;
    if (ring->take({&packet, 1}) == 0) continue;
    frame.port = packet->port;
    frame.bytes.resize(packet->pkt_len);
    std::memcpy(frame.bytes.data(), rte_pktmbuf_mtod(packet, const void*), packet->data_len);
    rte_pktmbuf_free(packet);
    return true;
  }
  return false;
}

bool LiveRuntime::inject(unsigned port, std::span<const std::byte> frame) {
  rte_mbuf* packet = rte_pktmbuf_alloc(pools_.back().get());
  if (packet == nullptr) return false;
  char* to = frame.size() > UINT16_MAX
                 ? nullptr
                 : rte_pktmbuf_append(packet, static_cast<std::uint16_t>(frame.size()));
  packet->port = static_cast<std::uint16_t>(port);
  if (to != nullptr) std::memcpy(to, frame.data(), frame.size());
  if (to != nullptr && inject_[placement_.owner_of_port[port]]->put({&packet, 1}) == 1) return true;
  rte_pktmbuf_free(packet);
  return false;
}

bool LiveRuntime::command(const Command& command) {
  if (drained_) return false;
  if (command.kind == CommandKind::Leg) {
    return running_[placement_.worker_of_stream[command.leg.stream]]->commands().put(command);
  }
  const auto full = [](const auto& worker) { return worker->commands().full(); };
  if (std::ranges::any_of(running_, full)) return false;
  Command numbered = command;
  if (command.kind == CommandKind::CaptureStart) numbered.capture.number = prepare_capture();
  for (const auto& worker : running_) worker->commands().put(numbered);
  return true;
}

// Rings are made for the first capture and kept: a worker may use one for as long as it runs.
std::uint16_t LiveRuntime::prepare_capture() {
  for (std::size_t w = capture_rings_.size(); w < running_.size(); ++w) {
    capture_rings_.push_back(std::make_unique<ByteRing>(kCaptureRing));
    running_[w]->capture_into(*capture_rings_[w]);
  }
  since_1970_ = std::chrono::system_clock::now().time_since_epoch() - Nanoseconds{clock_->now().ns};
  return ++captures_;
}

bool LiveRuntime::poll_captured(CapturedPacket& packet) {
  const auto take = [&](const auto& ring) { return RingTap::take(*ring, captures_, packet); };
  if (std::ranges::none_of(capture_rings_, take)) return false;
  packet.at = packet.at + since_1970_;
  return true;
}

std::uint64_t LiveRuntime::capture_missed() const {
  std::uint64_t missed = 0;
  for (const auto& worker : running_) missed += worker->capture_missed();
  return missed;
}

void LiveRuntime::heartbeat_ages(std::vector<Nanoseconds>& ages) {
  ages.clear();
  for (const auto& worker : running_) ages.push_back(clock_->now() - worker->last_beat());
}

void LiveRuntime::refresh_links() {
  const Instant now = clock_->now();
  if (now - last_refresh_ < kLinkCheck) return;
  last_refresh_ = now;
  for (std::size_t p = 0; p < ports_.size(); ++p) {
    ports_[p]->refresh();
    const bool up = ports_[p]->link_up();
    if (up != was_up_[p]) ++flaps_[p];
    was_up_[p] = up;
  }
}

void LiveRuntime::drain() {
  if (!started_ || drained_) return;
  end_together(running_, between_workers_,
               [](unsigned w) { return rte_eal_get_lcore_state(worker_lcore(w)) != RUNNING; });
  drained_ = true;
}

}  // namespace castgate
