// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "pipelines/rules.h"

namespace castgate {
namespace {

// More would be 1 GiB of slots and more, before the first packet is kept.
constexpr std::uint64_t kMaxAllWindows = 1ull << 27;  // positions

constexpr std::uint64_t kHugepage = 2ull << 20;

void check_cores(RuleContext& rules) {
  const ApplianceSpec& appliance = rules.spec().appliance;
  const std::string path = "appliance.worker_cores";
  if (rules.bad(path)) return;
  if (rules.given(path) && appliance.worker_cores.empty() && !rules.bad(path + "[0]")) {
    rules.error(path, "needs a core");
  }
  if (appliance.worker_cores.size() > kMaxWorkers) {
    rules.error(path, fmt::format("at most {} workers", kMaxWorkers));
  }
  std::set<unsigned> seen;
  for (const unsigned core : appliance.worker_cores) {
    if (!seen.insert(core).second) {
      rules.error(path, fmt::format("core {} is given twice: one worker a core", core));
    }
  }
  if (seen.contains(appliance.control_core) && !rules.bad("appliance.control_core")) {
    const bool named = rules.given("appliance.control_core");
    rules.warn(named ? "appliance.control_core" : path,
               fmt::format("core {} is the control plane's and a worker's: packets will wait",
                           appliance.control_core));
  }
}

void check_sizes(RuleContext& rules) {
  const Spec& spec = rules.spec();
  if (spec.appliance.hugepages_bytes % kHugepage != 0) {
    rules.error("appliance.hugepages", "must be a multiple of 2MiB");
  }
  if (spec.streams.size() > spec.appliance.max_streams && !rules.bad("appliance.max_streams")) {
    rules.error("streams", fmt::format("{} streams, and appliance.max_streams is {}",
                                       spec.streams.size(), spec.appliance.max_streams));
  }
  if (spec.streams.empty() && rules.given("ports") && !rules.bad("streams")) {
    rules.warn("streams", "no streams: nothing will be forwarded");
  }
  std::uint64_t positions = 0;
  for (const StreamSpec& stream : spec.streams) {
    const std::uint64_t window = window_positions(stream);
    if (window <= kMaxWindow) positions += window;  // larger ones are complained of by themselves
  }
  if (positions > kMaxAllWindows) {
    rules.error("streams", fmt::format("the merge windows hold {} positions together: at most {}; "
                                       "lower max_rate or max_skew",
                                       positions, kMaxAllWindows));
  }
}

}  // namespace

void check_appliance(RuleContext& rules) {
  check_cores(rules);
  check_sizes(rules);
}

}  // namespace castgate
