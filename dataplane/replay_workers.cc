// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replay_workers.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace castgate {
namespace {

// More than a stream's packets that may wait for its clients.
constexpr unsigned kRingSlots = 512;

}  // namespace

Result<std::unique_ptr<ReplayWorkers>> ReplayWorkers::make(const PipelineParts& parts) {
  std::unique_ptr<ReplayWorkers> made(new ReplayWorkers);
  PipelineParts own = parts;
  own.fan_links.emplace_back();
  for (const StreamSpec& stream : parts.spec.streams) {
    FanHelpers& helpers = own.helpers.emplace_back(fan_parts(stream) - 1);
    std::iota(helpers.begin(), helpers.end(), std::uint8_t{1});
    while (own.fan_links.size() <= helpers.size()) {
      auto ring = PacketRing::make(fmt::format("fan{}", own.fan_links.size()), kRingSlots);
      if (!ring) return std::unexpected(ring.error());
      own.fan_links.push_back({&made->rings_.emplace_back(std::move(*ring)), parts.pool});
    }
  }
  made->pipelines_.push_back(std::make_unique<Pipeline>(own));
  own.mine.assign(parts.mine.size(), false);
  for (own.worker = 1; own.worker < own.fan_links.size(); ++own.worker) {
    made->pipelines_.push_back(std::make_unique<Pipeline>(own));
  }
  return made;
}

void ReplayWorkers::command(const Command& command, Instant now) noexcept {
  const bool to_client = command.kind == CommandKind::ClientJoin ||
                         command.kind == CommandKind::ClientLeave ||
                         command.kind == CommandKind::ClientChange;
  pipelines_[to_client ? command.client.place.part : 0]->command(command, now);
}

void ReplayWorkers::serve(Instant now) noexcept {
  const auto idle = [](const auto& pipeline) { return pipeline->idle(); };
  for (const auto& pipeline : pipelines_) pipeline->set_time(now);
  do {
    for (const auto& pipeline : pipelines_) pipeline->flush();
  } while (take_parts(now) || !std::ranges::all_of(pipelines_, idle));
}

bool ReplayWorkers::take_parts(Instant now) noexcept {
  bool any = false;
  std::array<rte_mbuf*, kBurst> burst;
  for (std::size_t w = 1; w < pipelines_.size(); ++w) {
    const unsigned count = rings_[w - 1].take(burst);
    if (count != 0) pipelines_[w]->take_part({burst.data(), count}, now);
    any |= count != 0;
  }
  return any;
}

void ReplayWorkers::show_to(Tap* tap) noexcept {
  for (const auto& pipeline : pipelines_) pipeline->show_to(tap);
}

std::uint64_t ReplayWorkers::held() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& pipeline : pipelines_) sum += pipeline->held();
  return sum;
}

void ReplayWorkers::drain(Instant now) noexcept {
  first().drain(now);
  serve(now);
  for (const auto& pipeline : pipelines_) pipeline->drain(now);
}

void ReplayWorkers::fill(Snapshot& into) const {
  for (const auto& pipeline : pipelines_) {
    for (std::size_t s = 0; s < into.streams.size(); ++s) {
      pipeline->snapshot_stream(s, into.streams[s]);
    }
    pipeline->add_counters(into);
  }
}

}  // namespace castgate
