// SPDX-License-Identifier: Apache-2.0
#include "controlplane/alarms/stream_judge.h"

#include <algorithm>
#include <fmt/format.h>

#include "controlplane/report/protection.h"
#include "dataplane/contract/counters.h"

namespace castgate {
namespace {

constexpr double kMillion = 1e6;
// Below these a share says nothing.
constexpr std::uint64_t kFewestPositions = 16;
constexpr std::uint64_t kFewestMissing = 8;
constexpr std::uint64_t kFewestLost = 2;

std::uint64_t grown(std::uint64_t before, std::uint64_t after) noexcept {
  return after - std::min(before, after);
}

double seconds(Nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

AlarmSubject leg_of(const StreamSpec& spec, std::size_t leg) {
  return {.stream = spec.name, .leg = spec.legs[leg].name};
}

bool is_heard(LegState state) noexcept {
  return is_up(state);
}

// Where to look: "239.2.0.1:5002 from 10.2.0.5".
std::string way_of(const LegSpec& leg) {
  const std::string from = leg.from ? " from " + leg.from->to_string() : "";
  return leg.to.to_string() + from;
}

// Positions that the leg brought in time. A packet may hold several: then what a leg that brings
// anything did not bring is known by what it lost.
std::uint64_t brought(const StreamStretch& stretch, std::size_t leg) {
  const LegSnapshot& before = stretch.before.legs[leg];
  const LegSnapshot& after = stretch.after.legs[leg];
  const std::uint64_t packets = grown(delivered_in_time(before), delivered_in_time(after));
  if (!stretch.spec.sequence.counts_messages() || packets == 0) return packets;
  return stretch.positions() - std::min(stretch.positions(), grown(before.lost, after.lost));
}

}  // namespace

std::uint64_t StreamStretch::positions() const noexcept {
  return grown(before.forwarded, after.forwarded) + grown(before.unrecovered, after.unrecovered);
}

bool tells_latent_errors(const StreamStretch& stretch) noexcept {
  return stretch.positions() >= kFewestPositions;
}

Nanoseconds latent_period(const StreamSpec& spec) noexcept {
  return std::max(spec.monitor.latent_error_period, 4 * longest_hold(spec.failover));
}

Findings find_latent_errors(const StreamStretch& stretch) {
  const StreamSpec& spec = stretch.spec;
  const std::uint64_t positions = stretch.positions();
  const double difference = static_cast<double>(positions) *
                            static_cast<double>(spec.monitor.latent_error_difference_ppm) /
                            kMillion;
  const double under_way =
      static_cast<double>(positions) * seconds(longest_hold(spec.failover)) / seconds(stretch.span);
  const auto unrecovered = grown(stretch.before.unrecovered, stretch.after.unrecovered);
  Findings found;
  // An output with holes is no latent error: those are told as what they are.
  if (spec.legs.size() < 2 || static_cast<double>(unrecovered) > difference) return found;
  for (std::size_t leg = 0; leg < spec.legs.size(); ++leg) {
    if (stretch.after.legs[leg].state == LegState::LockedOut) continue;  // as was asked for
    const std::uint64_t came = std::min(brought(stretch, leg), positions);
    const std::uint64_t missing = positions - came;
    if (missing < kFewestMissing || static_cast<double>(missing) <= difference + under_way)
      continue;
    const std::string share =
        came == 0 ? "nothing"
                  : fmt::format("{:.1f} % of the positions",
                                100 * static_cast<double>(came) / static_cast<double>(positions));
    found.push_back({leg_of(spec, leg),
                     fmt::format("stream {}: leg {} brought {} for {:.1f} s; the output is whole, "
                                 "but without this leg the next fault is heard: look for {}",
                                 spec.name, spec.legs[leg].name, share, seconds(stretch.span),
                                 way_of(spec.legs[leg]))});
  }
  return found;
}

Findings find_degraded_legs(const StreamStretch& stretch) {
  const StreamSpec& spec = stretch.spec;
  const auto positions = static_cast<double>(stretch.positions());
  const auto allowed = static_cast<double>(spec.monitor.degrade_loss_ppm) / kMillion * positions;
  Findings found;
  for (std::size_t leg = 0; leg < spec.legs.size(); ++leg) {
    const LegSnapshot& before = stretch.before.legs[leg];
    const LegSnapshot& after = stretch.after.legs[leg];
    // A leg that was away is charged all of it at once: that is silence, not its line's quality.
    if (!is_heard(before.state) || !is_heard(after.state)) continue;
    if (before.state_changes != after.state_changes) continue;
    const std::uint64_t lost = grown(before.lost, after.lost);
    if (lost < kFewestLost || static_cast<double>(lost) <= allowed) continue;
    found.push_back(
        {leg_of(spec, leg),
         fmt::format("stream {}: leg {} lost {} of {} positions in {:.1f} s, {:.2f} %; more than "
                     "{:.3g} % is degraded: look at the path of {}",
                     spec.name, spec.legs[leg].name, lost, stretch.positions(),
                     seconds(stretch.span), 100 * static_cast<double>(lost) / positions,
                     100 * static_cast<double>(spec.monitor.degrade_loss_ppm) / kMillion,
                     way_of(spec.legs[leg]))});
  }
  return found;
}

Findings find_not_sealed(const StreamStretch& stretch) {
  const StreamSpec& spec = stretch.spec;
  const std::uint64_t dropped = grown(stretch.before.not_sealed, stretch.after.not_sealed);
  const auto allowed = static_cast<double>(spec.monitor.degrade_loss_ppm) / kMillion *
                       static_cast<double>(stretch.positions());
  if (dropped < kFewestLost || static_cast<double>(dropped) <= allowed) return {};
  return {{{.stream = spec.name},
           fmt::format("stream {}: {} packets could not be encrypted in {:.1f} s and were dropped; "
                       "castgate show ports says why: where it is key_spent, append a key to "
                       "key_file and reload",
                       spec.name, dropped, seconds(stretch.span))}};
}

Findings find_content_mismatches(const StreamStretch& stretch, std::string_view counter) {
  const StreamSpec& spec = stretch.spec;
  Findings found;
  const auto* const row = std::ranges::find(kLegCounters, counter, &CounterInfo<LegSnapshot>::name);
  if (row == kLegCounters.end()) return found;
  for (std::size_t leg = 0; leg < spec.legs.size(); ++leg) {
    const std::uint64_t count =
        grown(stretch.before.legs[leg].*row->field, stretch.after.legs[leg].*row->field);
    if (count == 0) continue;
    found.push_back(
        {leg_of(spec, leg),
         fmt::format("stream {}: {} packets of leg {} differ from another leg's of the same "
                     "position; the legs are no copies of one source, or the path of {} damages",
                     spec.name, count, spec.legs[leg].name, way_of(spec.legs[leg]))});
  }
  return found;
}

std::string silent_text(const StreamSpec& spec, std::size_t leg) {
  return fmt::format(
      "stream {}: leg {} is silent while the stream goes on; look for {}: link, "
      "route, membership",
      spec.name, spec.legs[leg].name, way_of(spec.legs[leg]));
}

std::string diverged_text(const StreamSpec& spec, std::size_t leg) {
  return fmt::format(
      "stream {}: leg {} carries other numbers than the stream; its source "
      "restarted alone, or {} is another source's",
      spec.name, spec.legs[leg].name, way_of(spec.legs[leg]));
}

Findings find_silent_legs(const StreamStretch& stretch) {
  const StreamSpec& spec = stretch.spec;
  Findings found;
  for (std::size_t leg = 0; leg < spec.legs.size(); ++leg) {
    const LegState before = stretch.before.legs[leg].state;
    const LegState state = stretch.after.legs[leg].state;
    // A leg may still be to come when the stream has just begun.
    const bool never =
        before == LegState::Waiting && state == LegState::Waiting && stretch.before.forwarded != 0;
    if (state == LegState::Silent || never)
      found.push_back({leg_of(spec, leg), silent_text(spec, leg)});
  }
  return found;
}

Findings find_diverged_legs(const StreamStretch& stretch) {
  Findings found;
  for (std::size_t leg = 0; leg < stretch.spec.legs.size(); ++leg)
    if (stretch.after.legs[leg].state == LegState::Diverged)
      found.push_back({leg_of(stretch.spec, leg), diverged_text(stretch.spec, leg)});
  return found;
}

// Learning takes tens of packets: a leg that was at it when it was looked at last matches nothing.
Findings find_unknown_offsets(const StreamStretch& stretch) {
  const StreamSpec& spec = stretch.spec;
  Findings found;
  for (std::size_t leg = 0; leg < spec.legs.size(); ++leg) {
    if (stretch.before.legs[leg].state != LegState::Learning ||
        stretch.after.legs[leg].state != LegState::Learning) {
      continue;
    }
    found.push_back(
        {leg_of(spec, leg),
         fmt::format("stream {}: the offset of leg {} cannot be learnt and its packets are "
                     "dropped; its payloads match those of no leg without offset: auto within "
                     "max_skew: is one of those up, and is {} of the same source?",
                     spec.name, spec.legs[leg].name, way_of(spec.legs[leg]))});
  }
  return found;
}

Findings find_all_down(const StreamSpec& spec, Nanoseconds silence, bool ever) {
  if (silence < spec.monitor.down_after) return {};
  std::string legs;
  for (const LegSpec& leg : spec.legs)
    legs += fmt::format("{}{} {}", legs.empty() ? "" : ", ", leg.name, way_of(leg));
  return {
      {{.stream = spec.name},
       fmt::format("stream {}: no leg {} for {:.0f} s; look at the source, and for {}", spec.name,
                   ever ? "brought a packet" : "was ever heard", seconds(silence), legs)}};
}

}  // namespace castgate
