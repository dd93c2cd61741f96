// SPDX-License-Identifier: Apache-2.0
#include "drivers/faulty_port.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/base/check.h"

namespace castgate {

FaultyPort::FaultyPort(Port& inner, const FaultModel& model, Clock now, rte_mempool* copies)
    : inner_(inner), model_(model), now_(std::move(now)), copies_(copies) {
  CG_CHECK(model.duplicate == 0 || copies != nullptr);
  for (unsigned queue = 0; queue < inner.facts().rx_queues; ++queue) {
    paths_.push_back(Path{.dice = Dice(model.seed + queue), .held = {}, .counts = {}});
  }
}

FaultyPort::~FaultyPort() {
  for (auto& path : paths_) {
    for (auto& held : path.held) rte_pktmbuf_free(held.packet);
  }
}

unsigned FaultyPort::receive(unsigned queue, std::span<rte_mbuf*> burst) noexcept {
  constexpr std::size_t kBurst = 32;
  std::array<rte_mbuf*, kBurst> fresh;
  Path& path = paths_[queue];
  const Instant now = now_();
  const unsigned count =
      inner_.receive(queue, std::span(fresh).first(std::min(kBurst, burst.size())));
  for (rte_mbuf* packet : std::span(fresh).first(count)) {
    if (loses(path)) {
      rte_pktmbuf_free(packet);
      ++path.counts.lost;
      continue;
    }
    admit(path, packet, now);
    if (!path.dice.chance(model_.duplicate)) continue;
    if (rte_mbuf* copy = rte_pktmbuf_copy(packet, copies_, 0, UINT32_MAX)) {
      admit(path, copy, now);
      ++path.counts.duplicated;
    }
  }
  return deliver(path, burst, now);
}

bool FaultyPort::loses(Path& path) const noexcept {
  path.in_burst = path.dice.chance(path.in_burst ? 1 - model_.burst_leave : model_.burst_enter);
  return path.dice.chance(path.in_burst ? model_.burst_loss : model_.loss);
}

void FaultyPort::admit(Path& path, rte_mbuf* packet, Instant now) {
  const double more = path.dice.fraction() * static_cast<double>(model_.jitter.count());
  Held held{packet, now + model_.delay + Nanoseconds(static_cast<std::int64_t>(more)),
            path.admitted++};
  if (path.dice.chance(model_.reorder)) {
    held.after += 1 + path.dice.roll() % model_.reorder_depth;
    ++path.counts.reordered;
  }
  path.held.push_back(held);
}

// Those whose time has come, in the order in which they may come out; the rest stay.
unsigned FaultyPort::deliver(Path& path, std::span<rte_mbuf*> burst, Instant now) {
  std::ranges::stable_sort(path.held, [](const Held& a, const Held& b) {
    return std::pair(a.after, a.due) < std::pair(b.after, b.due);
  });
  unsigned count = 0;
  const auto leaves = [&](const Held& held) {
    const bool passed = held.after < path.admitted || now >= held.due + model_.reorder_wait;
    if (count == burst.size() || now < held.due || !passed) return false;
    burst[count++] = held.packet;
    return true;
  };
  std::erase_if(path.held, leaves);
  return count;
}

FaultCounts FaultyPort::counts() const {
  FaultCounts sum;
  for (const auto& path : paths_) {
    sum.lost += path.counts.lost;
    sum.duplicated += path.counts.duplicated;
    sum.reordered += path.counts.reordered;
    sum.held += path.held.size();
  }
  return sum;
}

}  // namespace castgate
