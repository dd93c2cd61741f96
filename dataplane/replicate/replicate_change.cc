// SPDX-License-Identifier: Apache-2.0
// A stream's outputs as the control thread makes them, and how a worker takes them.
#include <algorithm>
#include <utility>

#include "dataplane/replicate/replicate_stage.h"

namespace castgate {

ReplicateStage::Outputs ReplicateStage::outputs_of(std::span<const OutputSpec> wanted,
                                                   std::span<Port* const> ports,
                                                   OutputTemplate* first) {
  if (wanted.empty()) return {};
  const bool chains = std::ranges::all_of(wanted, [&](const OutputSpec& output) {
    return ports[output.port]->facts().multi_segment_tx;
  });
  return {.count = static_cast<std::uint32_t>(wanted.size()),
          .chains = chains,
          .plain = wanted.size() == 1 && first->is_plain(),
          .plain_raw = wanted.size() == 1 && first->is_plain_raw(),
          .first = first};
}

// Outputs stand in the order of their renditions (read_stream).
std::vector<ReplicateStage::Outputs> ReplicateStage::split(const StreamSpec& stream,
                                                           std::span<Port* const> ports,
                                                           Outputs& all) {
  const std::vector<ProtectSpec> renditions = renditions_of(stream);
  if (renditions.size() < 2) return {};
  std::vector<Outputs> made(renditions.size());
  std::span<const OutputSpec> left = stream.outputs;
  OutputTemplate* first = all.first;
  for (std::size_t r = 0; r < renditions.size(); ++r) {
    const auto other = std::ranges::find_if(
        left, [&](const OutputSpec& output) { return !(output.protect == renditions[r]); });
    const auto count = static_cast<std::size_t>(other - left.begin());
    made[r] = outputs_of(left.first(count), ports, first);
    const bool to_clients =
        all.fan != nullptr && before_fan_out(stream.unicasts.front().protect) == renditions[r];
    if (to_clients) {
      made[r].fan = all.fan;
      made[r].plain = false;
    }
    left = left.subspan(count);
    first += count;
  }
  CG_CHECK(left.empty());
  all.plain = false;
  all.by_rendition = made.data();
  return made;
}

ReplicateStage::Change ReplicateStage::make_change(const StreamSpec& stream, const StreamSpec* was,
                                                   const ChangeParts& parts) {
  Change made;
  made.was.fill(-1);
  made.templates = std::make_unique<OutputTemplate[]>(stream.outputs.size());
  for (std::size_t o = 0; o < stream.outputs.size(); ++o) {
    const OutputSpec& output = stream.outputs[o];
    made.templates[o] =
        make_template(output, parts.specs[output.port], parts.ports[output.port]->facts().mac);
    if (was == nullptr) continue;
    const auto old = std::ranges::find(was->outputs, output.name, &OutputSpec::name);
    if (old == was->outputs.end()) continue;
    made.was[o] = static_cast<std::int8_t>(old - was->outputs.begin());
  }
  made.outputs = outputs_of(stream.outputs, parts.ports, made.templates.get());
  if (!stream.unicasts.empty()) {
    made.fan = make_fan_stream(stream, {*parts.clients, parts.helpers}, parts.ports, parts.stream);
    made.outputs.fan = made.fan.get();
    made.outputs.plain = false;
    if (is_isolated(stream)) made.sealer = make_client_sealer();
  }
  made.renditions = split(stream, parts.ports, made.outputs);
  return made;
}

ReplicateStage::Change ReplicateStage::make_part(const StreamSpec& stream, unsigned part,
                                                 const ChangeParts& parts) {
  Change made;
  made.fan =
      make_fan_stream(stream, {*parts.clients, parts.helpers, part}, parts.ports, parts.stream);
  made.outputs.fan = made.fan.get();
  if (is_isolated(stream)) made.sealer = make_client_sealer();
  return made;
}

void ReplicateStage::install(std::size_t stream, Change& change) noexcept {
  if (change.sealer && !fan_.seals()) fan_.seal_with(std::move(change.sealer));
  Outputs& own = outputs_[stream];
  for (std::uint32_t o = 0; o < change.outputs.count; ++o) {
    if (change.was[o] < 0) continue;
    const OutputTemplate& old = own.first[change.was[o]];
    OutputTemplate& output = change.outputs.first[o];
    output.packets = old.packets;
    output.bytes = old.bytes;
    output.packets_high = old.packets_high;
    output.bytes_high = old.bytes_high;
    output.drops = old.drops;
  }
  if (own.fan != nullptr && change.fan && own.fan->serves_the_same(*change.fan)) {
    // Packets that wait go on waiting.
    for (Outputs& each : change.renditions) {
      if (each.fan != nullptr) each.fan = own.fan;
    }
    change.outputs.fan = own.fan;
  } else {
    if (own.fan != nullptr) fan_.finish(*own.fan);
    std::swap(fans_[stream], change.fan);
  }
  own = change.outputs;
  std::swap(renditions_[stream], change.renditions);
  std::swap(later_[stream], change.templates);
}

}  // namespace castgate
