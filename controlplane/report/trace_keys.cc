// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/trace_keys.h"

#include <algorithm>

#include "pipelines/complaints.h"

namespace castgate {
namespace {

constexpr std::uint8_t kEsp = 50;

// `key` of the leg that has this destination, whoever its source and whatever its SPI may be.
std::string filter_key(const Spec& spec, unsigned port, const Dissection& frame,
                       std::string_view key) {
  const auto has_destination = [&](const LegSpec& leg) {
    return leg.port == port && frame.destination == leg.to.address &&
           (leg.open.is_raw_esp() ? frame.protocol == kEsp
                                  : frame.destination_port == leg.to.udp_port);
  };
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    const auto& legs = spec.streams[s].legs;
    const auto leg = std::ranges::find_if(legs, has_destination);
    if (leg != legs.end()) {
      return leg_key(spec, s, static_cast<std::size_t>(leg - legs.begin())) + std::string(key);
    }
  }
  return port_key(spec, port);
}

std::string own_source_key(const Spec& spec, unsigned port, const Dissection& frame) {
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    const auto& outputs = spec.streams[s].outputs;
    const auto ours = std::ranges::find_if(
        outputs, [&](const OutputSpec& output) { return frame.source == output.source; });
    if (ours != outputs.end()) {
      return output_key(spec, s, static_cast<std::size_t>(ours - outputs.begin())) + ".source";
    }
  }
  return port_key(spec, port);
}

std::string classify_key(const Spec& spec, unsigned port, const PacketTrace& trace) {
  switch (trace.dropped.value_or(DropReason::kCount)) {
    case DropReason::IpChecksum:
      return port_key(spec, port) + ".verify.ip_checksum";
    case DropReason::UdpChecksum:
      return port_key(spec, port) + ".verify.udp_checksum";
    case DropReason::MacMismatch:
      return port_key(spec, port) + ".verify.mac";
    case DropReason::TooBig:
      return "appliance.max_frame";
    case DropReason::OwnSource:
      return own_source_key(spec, port, dissect(trace.frame));
    case DropReason::SourceFilter:
      return filter_key(spec, port, dissect(trace.frame), ".from");
    case DropReason::OtherSpi:
      return filter_key(spec, port, dissect(trace.frame), ".open.spi");
    default:
      return port_key(spec, port);
  }
}

}  // namespace

std::string port_key(const Spec& spec, unsigned port) {
  return "ports." + path_step(spec.ports[port].name);
}

std::string stream_key(const Spec& spec, std::size_t stream) {
  return "streams." + path_step(spec.streams[stream].name);
}

std::string leg_key(const Spec& spec, std::size_t stream, std::size_t leg) {
  return stream_key(spec, stream) + ".legs." + path_step(spec.streams[stream].legs[leg].name);
}

std::string output_key(const Spec& spec, std::size_t stream, std::size_t output) {
  return stream_key(spec, stream) + ".outputs." +
         path_step(spec.streams[stream].outputs[output].name);
}

std::string failover_key(const Spec& spec, std::size_t stream, std::string_view key) {
  return stream_key(spec, stream) + ".failover." + std::string(key);
}

std::string gap_key(const Spec& spec, const Event& gap) {
  switch (gap.reason) {
    case GapReason::BothLost:
      return failover_key(spec, gap.stream, "reorder_depth");
    case GapReason::Deadline:
      return failover_key(spec, gap.stream, "max_skew");
    case GapReason::Budget:
      return failover_key(spec, gap.stream, "max_rate");
    case GapReason::Restart:
      break;
  }
  return failover_key(spec, gap.stream, "epoch_hold");
}

std::string drop_key(const Spec& spec, unsigned port, const PacketTrace& trace) {
  if (!trace.classified) return classify_key(spec, port, trace);
  const std::size_t stream = trace.stream;
  switch (trace.dropped.value_or(DropReason::kCount)) {
    case DropReason::Malformed:
      return stream_key(spec, stream) + ".sequence";
    case DropReason::Redundant:
      if (trace.winner) return leg_key(spec, stream, trace.winner->leg);
      return failover_key(spec, stream, "selection");
    case DropReason::DuplicateSameLeg:
      return leg_key(spec, stream, trace.leg);
    case DropReason::OpenMalformed:
    case DropReason::Rtcp:
    case DropReason::Forged:
    case DropReason::NotEsp:
    case DropReason::EspDummy:
      return leg_key(spec, stream, trace.leg) + ".open";
    case DropReason::OtherMki:
      return leg_key(spec, stream, trace.leg) + ".open.key_file";
    case DropReason::OtherSpi:
      return leg_key(spec, stream, trace.leg) + ".open.spi";
    case DropReason::Replayed:
      return leg_key(spec, stream, trace.leg) + ".open.replay_window";
    case DropReason::InnerMalformed:
    case DropReason::OtherSelector:
      return leg_key(spec, stream, trace.leg) + ".open.inner";
    case DropReason::LateAfterRelease:
      return trace.given_up ? gap_key(spec, *trace.given_up)
                            : failover_key(spec, stream, "max_skew");
    case DropReason::Late:
      return failover_key(spec, stream, "max_skew");
    case DropReason::WildSequence:
      return failover_key(spec, stream, "max_rate");
    case DropReason::OtherEpoch:
      return failover_key(spec, stream, "epoch_hold");
    default:
      return stream_key(spec, stream);
  }
}

std::string unsent_key(const Spec& spec, std::size_t stream, std::size_t output,
                       DropReason reason) {
  if (output >= spec.streams[stream].outputs.size()) return stream_key(spec, stream);
  if (reason == DropReason::Mtu) {
    return port_key(spec, spec.streams[stream].outputs[output].port) + ".mtu";
  }
  if (reason == DropReason::TtlExpired) return output_key(spec, stream, output) + ".ttl";
  return output_key(spec, stream, output);
}

}  // namespace castgate
