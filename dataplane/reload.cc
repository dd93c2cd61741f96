// SPDX-License-Identifier: Apache-2.0
#include "dataplane/reload.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace castgate {
namespace {

using Clock = std::chrono::steady_clock;

// A worker serves at least one stream a turn, and a turn with a full burst takes microseconds.
constexpr std::chrono::seconds kPatience{2};
// A ring between two workers is emptied a burst a turn. One that rests takes no turns at all.
constexpr std::uint64_t kTurnsToEmpty = 4096 / kBurst + 2;
constexpr std::chrono::milliseconds kLongestWay{100};

std::unique_ptr<StreamKit> leaving(std::uint32_t stream, unsigned part = 0) {
  auto kit = std::make_unique<StreamKit>();
  kit->stream = stream;
  kit->part = part;
  kit->goes = true;
  return kit;
}

FanHelpers helpers_of(std::span<const FanHelpers> all, std::uint32_t stream) {
  return stream < all.size() ? all[stream] : FanHelpers{};
}

KitParts kit_parts(const ReloadParts& parts, unsigned worker) {
  return {.before = parts.before,
          .after = parts.after,
          .ports = parts.ports,
          .fingerprint_seed = parts.fingerprint_seed,
          .clients = parts.clients,
          .helpers = parts.helpers,
          .crypto = parts.crypto != nullptr ? &parts.crypto->queue(worker) : nullptr};
}

}  // namespace

Reload::Reload(const ReloadParts& parts)
    : workers_(parts.workers),
      flows_(std::make_unique<FlowTable>(parts.after, parts.worker_of_stream)),
      coming_(workers_.size()),
      looking_up_(workers_.size()),
      going_(workers_.size()),
      parting_(workers_.size()) {
  for (std::uint32_t s = 0; s < parts.after.streams.size(); ++s) {
    const unsigned worker = parts.worker_of_stream[s];
    switch (change_of(parts.before, parts.after, s)) {
      case StreamChange::None:
        if (!parts.after.streams[s].is_vacant()) ++report_.unchanged;
        continue;
      case StreamChange::Added:
        ++report_.added;
        break;
      case StreamChange::Changed:
        ++report_.changed;
        break;
      case StreamChange::Removed:
        ++report_.removed;
        going_[worker].kits.push_back(leaving(s));
        add_parts(parts, s, false);
        continue;
    }
    add_parts(parts, s, true);
    coming_[worker].kits.push_back(make_kit(kit_parts(parts, worker), s));
  }
  // One worker alone has no packets on their way, so that the first two steps are one for it.
  for (ReloadJob& job : workers_.size() == 1 ? coming_ : looking_up_) job.flows = flows_.get();
}

// Who keeps a part of the clients keeps what waits for them, too; who has none any more lets it go.
void Reload::add_parts(const ReloadParts& parts, std::uint32_t stream, bool comes) {
  const FanHelpers before = helpers_of(parts.helpers_before, stream);
  const FanHelpers after = comes ? helpers_of(parts.helpers, stream) : FanHelpers{};
  for (unsigned h = 0; h < after.size(); ++h) {
    coming_[after[h]].kits.push_back(make_part_kit(kit_parts(parts, after[h]), stream, h + 1));
  }
  for (std::size_t h = after.size(); h < before.size(); ++h) {
    parting_[before[h]].kits.push_back(leaving(stream, static_cast<unsigned>(h) + 1));
  }
}

Result<void> Reload::carry_out() {
  if (auto done = carry_out(coming_); !done) return done;
  if (auto done = carry_out(looking_up_); !done) return done;
  if (workers_.size() > 1) let_hand_overs_end();
  if (auto done = carry_out(going_); !done) return done;
  if (std::ranges::all_of(parting_, [](const ReloadJob& job) { return job.kits.empty(); })) {
    return {};
  }
  let_hand_overs_end();
  return carry_out(parting_);
}

Result<void> Reload::carry_out(Step& step) {
  for (std::size_t w = 0; w < step.size(); ++w) {
    const bool idle = step[w].kits.empty() && step[w].flows == nullptr;
    if (!idle && !workers_[w]->reload(&step[w])) return fail("a worker has not ended another one");
  }
  const auto give_up = Clock::now() + kPatience;
  const auto busy = [](const auto& worker) { return worker->busy_with_reload(); };
  while (std::ranges::any_of(workers_, busy)) {
    if (Clock::now() > give_up) return fail("a worker does not answer; restart castgate");
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  for (const ReloadJob& job : step) report_.longest = std::max(report_.longest, job.longest);
  return {};
}

void Reload::let_hand_overs_end() const {
  std::vector<std::uint64_t> turns;
  for (const auto& worker : workers_) turns.push_back(worker->turns());
  const auto give_up = Clock::now() + kLongestWay;
  const auto all_empty = [&] {
    for (std::size_t w = 0; w < turns.size(); ++w) {
      if (workers_[w]->turns() - turns[w] < kTurnsToEmpty) return false;
    }
    return true;
  };
  while (!all_empty() && Clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

}  // namespace castgate
