// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/snapshot_view.h"

#include <algorithm>
#include <fmt/format.h>

namespace castgate {

Snapshot in_file_order(Snapshot snapshot, const std::vector<std::string>& order) {
  if (order.empty()) return snapshot;
  std::erase_if(snapshot.streams, [](const StreamSnapshot& stream) { return stream.name.empty(); });
  std::ranges::stable_sort(snapshot.streams, {}, [&](const StreamSnapshot& stream) {
    return std::ranges::find(order, stream.name) - order.begin();
  });
  return snapshot;
}

std::string summary_of(const Snapshot& snapshot) {
  std::size_t legs = 0;
  std::size_t up = 0;
  for (const StreamSnapshot& stream : snapshot.streams) {
    legs += stream.legs.size();
    up += static_cast<std::size_t>(std::ranges::count_if(stream.legs, is_up, &LegSnapshot::state));
  }
  const auto streams =
      snapshot.streams.size() - static_cast<std::size_t>(std::ranges::count(
                                    snapshot.streams, std::string(), &StreamSnapshot::name));
  return fmt::format("{} streams, {} of {} legs up", streams, up, legs);
}

}  // namespace castgate
