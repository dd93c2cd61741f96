// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "pipelines/rules.h"
#include "pipelines/units.h"

namespace castgate {
namespace {

struct Declared {
  std::uint64_t in = 0;   // bits per second
  std::uint64_t out = 0;  // of groups
};

Declared declared_of(const Spec& spec, unsigned port) {
  Declared sum;
  for (const StreamSpec& stream : spec.streams) {
    for (const LegSpec& leg : stream.legs) {
      if (leg.port == port) sum.in += stream.max_bitrate_bps;
    }
    for (const OutputSpec& output : stream.outputs) {
      if (output.port == port) sum.out += stream.max_bitrate_bps;
    }
  }
  return sum;
}

}  // namespace

void check_port_rates(RuleContext& rules) {
  const Spec& spec = rules.spec();
  for (unsigned p = 0; p < spec.ports.size(); ++p) {
    const PortSpec& port = spec.ports[p];
    if (port.max_rate_bps == 0) continue;
    const Declared sum = declared_of(spec, p);
    const auto judge = [&](std::uint64_t rate, std::string_view what) {
      if (rate <= port.max_rate_bps) return;
      rules.error(path_of(port) + ".max_rate",
                  fmt::format("{} that {} declare by max_bitrate are more than {}",
                              quantity_text(rate, kBitRates), what,
                              quantity_text(port.max_rate_bps, kBitRates)));
    };
    judge(sum.in, "the streams of its legs");
    judge(sum.out, "the streams of its groups");
  }
}

}  // namespace castgate
