// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/protection.h"

#include <algorithm>
#include <fmt/format.h>

namespace castgate {
namespace {

// Below this a leg would not carry the stream alone: 1 % of loss is a bad day, 5 % is a bad leg.
constexpr double kStandingShare = 0.95;

std::uint64_t positions_of(const StreamSnapshot& stream) noexcept {
  return stream.forwarded + stream.unrecovered;
}

double share_of(const LegSnapshot& leg, const StreamSnapshot& stream) noexcept {
  const std::uint64_t positions = positions_of(stream);
  if (positions == 0) return 0;
  return static_cast<double>(delivered_in_time(leg)) / static_cast<double>(positions);
}

bool stands(const LegSnapshot& leg, const StreamSnapshot& stream) noexcept {
  return leg.state != LegState::Diverged && share_of(leg, stream) >= kStandingShare;
}

std::string weakest_leg(const StreamSnapshot& stream) {
  const auto leg = std::ranges::min_element(stream.legs, {}, [&](const LegSnapshot& l) {
    return stands(l, stream) ? 2 : share_of(l, stream);
  });
  if (leg->state == LegState::Diverged) return fmt::format("leg {} diverged", leg->name);
  return fmt::format("leg {} carried {:.1f} % of the positions in time", leg->name,
                     100 * share_of(*leg, stream));
}

}  // namespace

std::uint64_t delivered_in_time(const LegSnapshot& leg) noexcept {
  const std::uint64_t useless = leg.duplicate_same_leg + leg.late + leg.late_after_release +
                                leg.wild_sequence + leg.other_epoch + leg.malformed +
                                leg.locked_out + leg.payload_type + leg.not_ts +
                                leg.offset_learning;
  return leg.packets - std::min(leg.packets, useless);
}

std::optional<double> save_rate(const StreamSnapshot& stream) noexcept {
  const std::uint64_t missed = stream.recovered + stream.unrecovered;
  if (missed == 0) return std::nullopt;
  return static_cast<double>(stream.recovered) / static_cast<double>(missed);
}

std::optional<CorrelatedLoss> correlated_loss(const StreamSnapshot& stream) noexcept {
  const auto positions = static_cast<double>(positions_of(stream));
  if (stream.legs.size() < 2 || positions == 0) return std::nullopt;
  double by_chance = positions;
  for (const LegSnapshot& leg : stream.legs)
    by_chance *= std::min(1.0, static_cast<double>(leg.lost) / positions);
  if (by_chance == 0) return std::nullopt;
  return CorrelatedLoss{by_chance, static_cast<double>(stream.unrecovered) / by_chance};
}

StreamProtection judge_protection(const StreamSnapshot& stream) {
  const auto took_part = std::ranges::count_if(
      stream.legs, [](const LegSnapshot& leg) { return delivered_in_time(leg) != 0; });
  if (took_part == 0) return {Protection::None, "no leg delivered anything"};
  if (stream.legs.size() == 1) return {Protection::None, "one leg only"};
  if (took_part == 1) return {Protection::None, weakest_leg(stream)};

  const auto standing = std::ranges::count_if(
      stream.legs, [&](const LegSnapshot& leg) { return stands(leg, stream); });
  const std::string weak = standing < 2 ? weakest_leg(stream) : "";
  if (stream.unrecovered != 0)
    return {Protection::Partial, fmt::format("{} positions unrecovered{}{}", stream.unrecovered,
                                             weak.empty() ? "" : ", ", weak)};
  if (standing < 2) return {Protection::Partial, "output whole, but " + weak};
  return {Protection::Full, ""};
}

Protection judge_protection(const std::vector<StreamSnapshot>& streams) {
  if (streams.empty()) return Protection::None;
  const Protection first = judge_protection(streams.front()).grade;
  const bool agree = std::ranges::all_of(
      streams, [&](const StreamSnapshot& s) { return judge_protection(s).grade == first; });
  return agree ? first : Protection::Partial;
}

}  // namespace castgate
