// SPDX-License-Identifier: Apache-2.0
// Any bytes as a configuration: complaints are lines with places, and what is called good may be
// run.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/base/check.h"
#include "pipelines/read_spec.h"

namespace castgate {
namespace {

void check_complaint(const Complaint& complaint, std::string_view text) {
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  const std::string line = complaint.to_string();
  CG_CHECK(complaint.place.line >= 1 && complaint.place.line <= lines + 1);
  CG_CHECK(complaint.place.column >= 1);
  CG_CHECK(line.starts_with("f:") && !complaint.what.empty());
  CG_CHECK(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
}

void check_stream(const Spec& spec, const StreamSpec& stream) {
  CG_CHECK(!stream.legs.empty() && stream.legs.size() <= kMaxLegs);
  CG_CHECK(!stream.outputs.empty() && stream.outputs.size() <= kMaxOutputs);
  CG_CHECK(window_positions(stream) <= 1ull << 22);
  CG_CHECK(std::ranges::all_of(stream.legs, [&](const LegSpec& leg) {
    return leg.port < spec.ports.size() && leg.to.udp_port != 0;
  }));
  CG_CHECK(std::ranges::all_of(stream.outputs, [&](const OutputSpec& output) {
    return output.port < spec.ports.size() && output.to.address.is_multicast() &&
           output.source.is_v4() == output.to.address.is_v4();
  }));
}

void check_spec(const Spec& spec) {
  CG_CHECK(!spec.ports.empty() && spec.ports.size() <= kMaxPorts);
  CG_CHECK(!spec.appliance.worker_cores.empty());
  CG_CHECK(spec.streams.size() <= spec.appliance.max_streams);
  for (const StreamSpec& stream : spec.streams) check_stream(spec, stream);
}

}  // namespace
}  // namespace castgate

// NOLINTNEXTLINE(readability-identifier-naming): the fuzzer's name for it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const castgate::Reading reading = castgate::read_spec_text(text, "f");
  for (const auto& complaint : reading.errors) castgate::check_complaint(complaint, text);
  for (const auto& complaint : reading.warnings) castgate::check_complaint(complaint, text);
  if (reading.good()) castgate::check_spec(reading.spec);
  return 0;
}
