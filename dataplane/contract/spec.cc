// SPDX-License-Identifier: Apache-2.0
#include "dataplane/contract/spec.h"

#include <algorithm>
#include <bit>

namespace castgate {

Nanoseconds longest_hold(const FailoverSpec& failover) noexcept {
  if (failover.release != Release::Playout) return failover.max_skew;
  return std::max(failover.max_skew, failover.playout_delay);
}

std::vector<std::uint8_t> preference(const StreamSpec& stream) {
  const auto& order = stream.failover.order;
  std::vector<std::uint8_t> places;
  auto unnamed = static_cast<std::uint8_t>(order.size());
  for (const LegSpec& leg : stream.legs) {
    const auto at = std::ranges::find(order, leg.name);
    places.push_back(at == order.end() ? unnamed++ : static_cast<std::uint8_t>(at - order.begin()));
  }
  return places;
}

bool has_choice(const StreamSpec& stream) noexcept {
  if (stream.sequence.counts_messages() || stream.failover.release == Release::Arrival)
    return false;
  return stream.failover.selection == Selection::Prefer || stream.verify.mpeg_ts ||
         stream.failover.corrupt == Corrupt::UseIfOnly;
}

unsigned fan_parts(const StreamSpec& stream) noexcept {
  unsigned parts = 1;
  for (const UnicastSpec& unicast : stream.unicasts) parts = std::max(parts, unicast.fan_workers);
  return parts;
}

bool is_protected(const StreamSpec& stream) noexcept {
  const auto on = [](const auto& output) {
    return output.protect.is_on() && !output.protect.is_isolated();
  };
  return std::ranges::any_of(stream.outputs, on) || std::ranges::any_of(stream.unicasts, on);
}

std::vector<ProtectSpec> renditions_of(const StreamSpec& stream) {
  std::vector<ProtectSpec> made;
  const auto add = [&](const auto& outputs, bool clear) {
    for (const auto& output : outputs) {
      const ProtectSpec protect = before_fan_out(output.protect);
      if (protect.is_on() == clear || std::ranges::find(made, protect) != made.end()) continue;
      made.push_back(protect);
    }
  };
  for (const bool clear : {true, false}) {
    add(stream.unicasts, clear);
    add(stream.outputs, clear);
  }
  return made;
}

bool is_isolated(const StreamSpec& stream) noexcept {
  return std::ranges::any_of(
      stream.unicasts, [](const UnicastSpec& unicast) { return unicast.protect.is_isolated(); });
}

bool is_opened(const StreamSpec& stream) noexcept {
  return std::ranges::any_of(stream.legs, [](const LegSpec& leg) { return leg.open.is_on(); });
}

bool is_restamped(const StreamSpec& stream) noexcept {
  return stream.failover.continuity == Continuity::Splice || stream.restamp.rtp != RtpFace::Keep;
}

std::uint32_t ssrc_of(const StreamSpec& stream) noexcept {
  if (stream.restamp.ssrc) return *stream.restamp.ssrc;
  std::uint32_t hash = 0x811c9dc5;  // FNV-1a
  for (const char letter : stream.name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x01000193;
  }
  return hash;
}

bool SequenceSpec::is_rtp() const noexcept {
  return format == SequenceFormat::Rtp || format == SequenceFormat::RtpExtended;
}

SequenceField SequenceSpec::number() const noexcept {
  switch (format) {
    case SequenceFormat::Rtp:
      return {.at = 2, .width = 2};
    case SequenceFormat::CmeMdp3:
      return {.at = 0, .width = 4, .little = true};
    case SequenceFormat::Moldudp64:
      return {.at = 10, .width = 8};
    case SequenceFormat::Generic:
      return generic.position;
    case SequenceFormat::RtpExtended:  // in two halves
    case SequenceFormat::IexTp:        // bytes are numbered as well
    case SequenceFormat::Fingerprint:
      return {};
  }
  return {};
}

unsigned SequenceSpec::width() const noexcept {
  switch (format) {
    case SequenceFormat::Rtp:
      return 16;
    case SequenceFormat::RtpExtended:
    case SequenceFormat::CmeMdp3:
      return 32;
    case SequenceFormat::Moldudp64:
    case SequenceFormat::IexTp:
      return 64;
    case SequenceFormat::Generic:
      return width_of(generic);
    case SequenceFormat::Fingerprint:
      return 64;
  }
  return 16;
}

bool SequenceSpec::has_lengths() const noexcept {
  return format == SequenceFormat::Moldudp64 || format == SequenceFormat::IexTp;
}

bool SequenceSpec::counts_messages() const noexcept {
  return has_lengths() || (format == SequenceFormat::Generic && generic.count.width != 0);
}

bool has_offsets(const StreamSpec& stream) noexcept {
  return std::ranges::any_of(stream.legs, [](const LegSpec& leg) { return !leg.offset.is_none(); });
}

bool learns_offsets(const StreamSpec& stream) noexcept {
  return std::ranges::any_of(stream.legs, [](const LegSpec& leg) { return leg.offset.automatic; });
}

std::uint64_t remembered_payloads(const StreamSpec& stream) noexcept {
  constexpr double kNanosecondsPerSecond = 1e9;
  constexpr double kLargest = 1ull << 40;
  constexpr std::uint64_t kSmallest = 256;
  const double within = 2 * static_cast<double>(stream.failover.max_rate_pps) *
                        static_cast<double>(stream.failover.max_skew.count()) /
                        kNanosecondsPerSecond;
  return std::bit_ceil(std::max(static_cast<std::uint64_t>(std::min(within, kLargest)), kSmallest));
}

const NetworkSpec* find_network(const PortSpec& port, const VlanTags& tags) noexcept {
  const auto found = std::ranges::find(port.networks, tags, &NetworkSpec::tags);
  return found == port.networks.end() ? nullptr : &*found;
}

std::uint64_t window_positions(const StreamSpec& stream) noexcept {
  const FailoverSpec& failover = stream.failover;
  // Legs may always differ by 64 packets; of messages a packet may hold a quarter of the window.
  const std::uint64_t smallest = stream.sequence.counts_messages() ? 4096 : 256;
  constexpr double kNanosecondsPerSecond = 1e9;
  const double in_flight = static_cast<double>(failover.max_rate_pps) *
                           static_cast<double>(longest_hold(failover).count()) /
                           kNanosecondsPerSecond;
  constexpr double kLargest = 1ull << 40;
  const double times = stream.sequence.format == SequenceFormat::Fingerprint ? 4 : 2;
  const auto wanted = static_cast<std::uint64_t>(std::min(times * in_flight, kLargest));
  return std::bit_ceil(std::max(wanted, smallest));
}

}  // namespace castgate
