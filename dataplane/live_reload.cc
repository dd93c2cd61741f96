// SPDX-License-Identifier: Apache-2.0
// Streams that come, change and go while the appliance runs. Three steps, each over all workers:
// first every worker has what is new of its streams, then packets are looked up in the new table,
// and once none that was looked up in the old one is on its way any more, what goes is let go.
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <thread>

#include "dataplane/live_runtime.h"
#include "dataplane/port_groups.h"

namespace castgate {
namespace {

// A worker serves a stream a turn at least, and a turn with a full burst takes microseconds.
constexpr std::chrono::seconds kPatience{2};
// A ring between two workers is emptied by bursts.
constexpr std::uint64_t kTurnsToEmpty = 4096 / kBurst + 2;

}  // namespace

Result<ReloadReport> LiveRuntime::reload(const Spec& spec) {
  if (auto may = may_reload(spec); !may) return std::unexpected(may.error());
  ReloadReport report;
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    const StreamChange change = change_of(spec_, spec, s);
    if (change == StreamChange::Added) ++report.added;
    if (change == StreamChange::Removed) ++report.removed;
    if (change == StreamChange::Changed) ++report.changed;
    if (change == StreamChange::None && !spec.streams[s].is_vacant()) ++report.unchanged;
  }
  if (report.added + report.removed + report.changed == 0) return report;

  if (auto heard = hear_groups(spec, true); !heard) return std::unexpected(heard.error());
  place_new_streams(spec_, spec, workers_, placement_);
  ReloadStep come = coming(spec);
  auto flows = std::make_unique<FlowTable>(spec, placement_.worker_of_stream);
  ReloadStep look_up;
  for (unsigned w = 0; w < workers_; ++w) {
    look_up.push_back(std::make_unique<ReloadJob>());
    look_up.back()->flows = flows.get();
  }
  // One worker alone has no packets on their way, so that both are one step for it.
  if (workers_ == 1) come[0]->flows = flows.get();
  if (auto done = carry_out(come, report); !done) return std::unexpected(done.error());
  if (auto done = carry_out(look_up, report); !done) return std::unexpected(done.error());
  std::swap(flows_, flows);
  let_hand_overs_end();
  ReloadStep go = going(spec);
  if (auto done = carry_out(go, report); !done) return std::unexpected(done.error());
  (void)hear_groups(spec, false);  // fewer than it hears now
  spec_ = spec;
  return report;
}

Result<void> LiveRuntime::may_reload(const Spec& spec) const {
  if (drained_ || !started_) return fail("not running");
  if (!stuck_.empty()) return fail("a worker has not finished the last reload; restart castgate");
  if (spec.streams.size() > stream_places(spec_)) {
    return fail(
        fmt::format("{} streams, of which this run has a place for {}: raise "
                    "appliance.max_streams and restart",
                    spec.streams.size(), stream_places(spec_)));
  }
  const auto busy = [](const auto& worker) { return worker->busy_with_snapshot(); };
  if (std::ranges::any_of(running_, busy)) return fail("a worker does not answer");
  return {};
}

LiveRuntime::ReloadStep LiveRuntime::coming(const Spec& spec) {
  ReloadStep step;
  std::vector<Port*> ports(ports_.size());
  std::ranges::transform(ports_, ports.begin(), [](const auto& port) { return port.get(); });
  for (unsigned w = 0; w < workers_; ++w) step.push_back(std::make_unique<ReloadJob>());
  for (std::uint32_t s = 0; s < spec.streams.size(); ++s) {
    const StreamChange change = change_of(spec_, spec, s);
    if (change != StreamChange::Added && change != StreamChange::Changed) continue;
    step[placement_.worker_of_stream[s]]->kits.push_back(
        make_kit({spec_, spec, ports, fingerprint_seed_}, s));
  }
  return step;
}

LiveRuntime::ReloadStep LiveRuntime::going(const Spec& spec) const {
  ReloadStep step;
  for (unsigned w = 0; w < workers_; ++w) step.push_back(std::make_unique<ReloadJob>());
  for (std::uint32_t s = 0; s < spec.streams.size(); ++s) {
    if (change_of(spec_, spec, s) != StreamChange::Removed) continue;
    auto kit = std::make_unique<StreamKit>();
    kit->stream = s;
    kit->goes = true;
    step[placement_.worker_of_stream[s]]->kits.push_back(std::move(kit));
  }
  return step;
}

// Until every worker has done its part. What they replaced is freed with the step.
Result<void> LiveRuntime::carry_out(ReloadStep& step, ReloadReport& report) {
  for (unsigned w = 0; w < workers_; ++w) {
    if (!step[w]->kits.empty() || step[w]->flows != nullptr) running_[w]->reload(step[w].get());
  }
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  const auto busy = [](const auto& worker) { return worker->busy_with_reload(); };
  while (std::ranges::any_of(running_, busy)) {
    if (std::chrono::steady_clock::now() > give_up) {
      stuck_.push_back(std::move(step));  // the worker may still look at it some day
      return fail("a worker does not answer; restart castgate");
    }
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  for (const auto& job : step) report.longest = std::max(report.longest, job->longest);
  return {};
}

void LiveRuntime::let_hand_overs_end() const {
  if (between_workers_.empty()) return;
  std::vector<std::uint64_t> turns;
  for (const auto& worker : running_) turns.push_back(worker->turns());
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  const auto behind = [&] {
    for (unsigned w = 0; w < workers_; ++w) {
      if (running_[w]->turns() - turns[w] < kTurnsToEmpty) return true;
    }
    return false;
  };
  while (behind() && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

// Where a NIC filters: the groups of `spec`, and those of before as long as they are needed.
Result<void> LiveRuntime::hear_groups(const Spec& spec, bool and_old) {
  for (unsigned p = 0; p < ports_.size(); ++p) {
    const std::vector<MacAddress> before = groups_of_port(spec_, p);
    std::vector<MacAddress> groups = groups_of_port(spec, p);
    if (groups == before) continue;
    for (const MacAddress& group : before) {
      if (and_old && std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
    }
    if (auto set = ports_[p]->set_groups(groups); !set) return set;
  }
  return {};
}

}  // namespace castgate
