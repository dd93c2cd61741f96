// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/admission.h"

#include <algorithm>
#include <fmt/format.h>

#include "pipelines/units.h"

namespace castgate {
namespace {

const UnicastSpec& unicast_of(const Spec& spec, const ClientRoute& route) noexcept {
  return spec.streams[route.stream].unicasts[route.unicast];
}

std::string text(std::uint64_t rate) {
  return quantity_text(rate, kBitRates);
}

}  // namespace

std::uint64_t rate_of_client(const Spec& spec, const ClientRoute& route) noexcept {
  const std::uint64_t stream = spec.streams[route.stream].max_bitrate_bps;
  const std::uint64_t limit = unicast_of(spec, route).max_rate_bps;
  if (stream == 0 || limit == 0) return std::max(stream, limit);
  return std::min(stream, limit);
}

Admission::Admission(const Spec& spec) : out_(spec.ports.size()) {
  for (const StreamSpec& stream : spec.streams) {
    for (const OutputSpec& output : stream.outputs) out_[output.port] += stream.max_bitrate_bps;
  }
}

Result<void> Admission::may_join(const Spec& spec, const ClientRoute& route) const {
  const PortSpec& port = spec.ports[unicast_of(spec, route).port];
  const std::uint64_t rate = rate_of_client(spec, route);
  const std::uint64_t taken = declared(unicast_of(spec, route).port);
  if (port.max_rate_bps == 0 || taken + rate <= port.max_rate_bps) return {};
  return fail(fmt::format(
      "port {} is full: {} of its {} (max_rate) are declared, and a client of {} takes {}; let "
      "others leave, or take a port that has room",
      port.name, text(taken), text(port.max_rate_bps), spec.streams[route.stream].name,
      text(rate)));
}

void Admission::joined(const Spec& spec, const ClientRoute& route) noexcept {
  out_[unicast_of(spec, route).port] += rate_of_client(spec, route);
}

void Admission::left(const Spec& spec, const ClientRoute& route) noexcept {
  std::uint64_t& out = out_[unicast_of(spec, route).port];
  out -= std::min(out, rate_of_client(spec, route));
}

}  // namespace castgate
