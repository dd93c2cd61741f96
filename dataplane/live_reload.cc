// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>

#include "dataplane/live_runtime.h"
#include "dataplane/port_groups.h"

namespace castgate {

Result<ReloadReport> LiveRuntime::reload(const Spec& spec) {
  if (auto may = may_reload(spec); !may) return std::unexpected(may.error());
  Placement placed = placement_;
  place_new_streams(spec_, spec, workers_, placed);
  std::vector<Port*> ports(ports_.size());
  std::ranges::transform(ports_, ports.begin(), [](const auto& port) { return port.get(); });
  auto clients = std::make_unique<ClientRoster>(spec, ports, clients_.get());
  auto reload = std::make_unique<Reload>(ReloadParts{.before = spec_,
                                                     .after = spec,
                                                     .workers = running_,
                                                     .worker_of_stream = placed.worker_of_stream,
                                                     .ports = ports,
                                                     .fingerprint_seed = fingerprint_seed_,
                                                     .clients = clients.get(),
                                                     .helpers_before = placement_.helpers_of_stream,
                                                     .helpers = placed.helpers_of_stream,
                                                     .crypto = crypto_.get()});
  if (reload->changes_nothing()) return reload->report();
  if (auto heard = hear_groups(spec, true); !heard) return std::unexpected(heard.error());
  if (auto done = reload->carry_out(); !done) {
    stuck_ = std::move(reload);
    return std::unexpected(done.error());
  }
  const ReloadReport report = reload->report();
  clients_ = std::move(clients);
  flows_ = reload->take_flows();
  placement_ = std::move(placed);
  (void)hear_groups(spec, false);  // fewer than it hears now
  spec_ = spec;
  return report;
}

Result<void> LiveRuntime::may_reload(const Spec& spec) const {
  if (drained_ || !started_) return fail("not running");
  if (stuck_) return fail("a worker has not ended the last reload; restart castgate");
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
