// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pipelines/rules.h"
#include "pipelines/units.h"

namespace castgate {
namespace {

constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

// Rounded down to two digits and more, so that a message names a value one would write.
std::string round_down(std::uint64_t value, const Quantity& quantity) {
  std::uint64_t step = 1;
  for (const UnitOf& unit : quantity.units) {
    if (value >= 10 * unit.scale) step = unit.scale;
  }
  return quantity_text(value - value % step, quantity);
}

// What of max_skew (or the playout delay) and max_rate fits when at most `positions` may be in
// flight.
std::string what_fits(const FailoverSpec& failover, std::uint64_t positions) {
  const std::uint64_t most = positions * kNanosecondsPerSecond - 1;
  const auto hold = static_cast<std::uint64_t>(longest_hold(failover).count());
  return fmt::format("{} fits at {}, or {} at {}",
                     round_down(most / failover.max_rate_pps, kDurations),
                     quantity_text(failover.max_rate_pps, kPacketRates),
                     round_down(most / hold, kPacketRates), quantity_text(hold, kDurations));
}

// The key to complain at: what makes the hold as long as it is, unless only the rate was given.
std::string window_key(const RuleContext& rules, const FailoverSpec& failover,
                       const std::string& path) {
  const bool playout = longest_hold(failover) > failover.max_skew;
  const std::string hold = path + (playout ? ".playout_delay" : ".max_skew");
  const std::string rate = path + ".max_rate";
  return !rules.given(hold) && rules.given(rate) ? rate : hold;
}

void check_window(RuleContext& rules, const StreamSpec& stream, const std::string& path) {
  const FailoverSpec& failover = stream.failover;
  const bool rtp = stream.sequence.format == SequenceFormat::Rtp;
  const std::uint64_t half = 1ull << (std::min(stream.sequence.width(), 40u) - 1);
  const std::string fits = what_fits(failover, std::min(half, kMaxWindow / 2));
  const auto hold = static_cast<std::uint64_t>(longest_hold(failover).count());
  // The key table's limits keep this product under 2^64.
  const std::uint64_t in_flight = failover.max_rate_pps * hold;
  const std::string key = window_key(rules, failover, path);
  if (in_flight >= half * kNanosecondsPerSecond) {
    rules.error(key, fmt::format("max_rate x hold is {} positions, half of the sequence's range is "
                                 "{}: {}{}",
                                 in_flight / kNanosecondsPerSecond, half, fits,
                                 rtp ? "; or sequence: rtp_extended" : ""));
  } else if (window_positions(stream) > kMaxWindow) {
    rules.error(key, fmt::format("the merge window would be {} positions, at most {}: {}",
                                 window_positions(stream), kMaxWindow, fits));
  }
}

std::vector<std::string_view> leg_names(const StreamSpec& stream) {
  std::vector<std::string_view> names;
  names.reserve(stream.legs.size());
  for (const LegSpec& leg : stream.legs) names.push_back(leg.name);
  return names;
}

// A number where the sequence asks for one, and none where it does not.
void check_sequence(RuleContext& rules, const StreamSpec& stream) {
  const std::string path = path_of(stream) + ".sequence";
  if (rules.bad(path) || rules.bad(path + ".format")) return;
  const SequenceSpec& sequence = stream.sequence;
  const bool generic = sequence.format == SequenceFormat::Generic;
  for (const char* field : {".position", ".count", ".epoch"}) {
    if (rules.given(path + field) && !generic) {
      rules.error(path + field, "has no effect without format: generic");
    }
  }
  if (generic && !rules.given(path + ".position")) {
    rules.error(path, "format: generic needs a position: {at: ..., width: ...}");
  }
  const std::string overlap = path + ".overlap";
  if (!rules.given(overlap) || rules.bad(overlap)) return;
  if (!sequence.counts_messages()) {
    rules.error(overlap, "has no effect: each packet of this format is one position");
  } else if (sequence.overlap == Overlap::Trim && !sequence.has_lengths()) {
    rules.error(overlap, "trim needs messages with a length each: moldudp64 or iex_tp");
  }
}

// Payloads are remembered instead of positions, and there is no range to half.
void check_remembered(RuleContext& rules, const StreamSpec& stream, const std::string& path) {
  if (window_positions(stream) <= kMaxRemembered) return;
  rules.error(
      window_key(rules, stream.failover, path),
      fmt::format("{} payloads would be remembered, at most {}: {}", window_positions(stream),
                  kMaxRemembered, what_fits(stream.failover, kMaxRemembered / 4)));
}

void check_messages(RuleContext& rules, const StreamSpec& stream, const std::string& path) {
  const bool playout = stream.failover.release == Release::Playout;
  if (playout && stream.sequence.format == SequenceFormat::Fingerprint) {
    rules.error(path + ".release",
                "playout needs packets with a number; ordered or arrival does not");
  }
  if (!playout || !stream.sequence.counts_messages()) return;
  rules.error(path + ".release",
              "playout is not for packets of several messages; ordered or arrival is");
}

bool is_rtp(const StreamSpec& stream) {
  return stream.sequence.format == SequenceFormat::Rtp ||
         stream.sequence.format == SequenceFormat::RtpExtended;
}

void check_order(RuleContext& rules, const StreamSpec& stream, const std::string& path) {
  const auto& order = stream.failover.order;
  for (auto name = order.begin(); name != order.end(); ++name) {
    const auto known = std::ranges::find(stream.legs, *name, &LegSpec::name);
    if (known == stream.legs.end()) {
      rules.error(path + ".order", fmt::format("no leg '{}': there are {}", *name,
                                               fmt::join(leg_names(stream), ", ")));
    } else if (std::find(order.begin(), name, *name) != name) {
      rules.error(path + ".order", fmt::format("leg '{}' twice", *name));
    }
  }
}

// What needs a copy to wait for a better one.
void check_choice(RuleContext& rules, const StreamSpec& stream, const std::string& path) {
  const FailoverSpec& failover = stream.failover;
  const bool prefer = failover.selection == Selection::Prefer;
  const std::string selection = path + ".selection";
  const bool readable = !rules.bad(selection) && !rules.bad(path + ".release");
  if (readable && prefer && failover.release == Release::Arrival) {
    rules.error(selection,
                "prefer needs release: ordered or playout: with arrival the first copy "
                "has left before the preferred one comes");
  }
  if (prefer && stream.sequence.counts_messages()) {
    rules.error(selection, "prefer is not for packets of several messages; merge is");
  }
  for (const char* key : {".order", ".switching"}) {
    if (rules.given(path + key) && !prefer && !rules.bad(selection)) {
      rules.error(path + key, "has no effect without selection: prefer");
    }
  }
  if (failover.corrupt == Corrupt::UseIfOnly &&
      (failover.release == Release::Arrival || stream.sequence.counts_messages())) {
    rules.error(path + ".corrupt",
                "use_if_only needs release: ordered or playout, and packets of "
                "one position each");
  }
  check_order(rules, stream, path);
}

// Feeds without numbers: which packets are copies is known only when they leave.
void check_unnumbered(RuleContext& rules, const StreamSpec& stream) {
  if (stream.sequence.format != SequenceFormat::Fingerprint) return;
  const std::string failover = path_of(stream) + ".failover";
  const std::string verify = path_of(stream) + ".verify";
  if (stream.failover.selection == Selection::Prefer) {
    rules.error(failover + ".selection", "prefer needs packets with numbers; merge is for these");
  }
  if (stream.failover.corrupt == Corrupt::UseIfOnly) {
    rules.error(failover + ".corrupt", "use_if_only needs packets with numbers");
  }
  for (const char* key : {".mpeg_ts", ".content_check"}) {
    if (rules.given(verify + key)) {
      rules.error(verify + key, "has no effect: copies of this sequence are equal byte by byte");
    }
  }
}

void check_verify(RuleContext& rules, const StreamSpec& stream) {
  const std::string path = path_of(stream) + ".verify";
  const StreamVerifySpec& verify = stream.verify;
  if (verify.payload_type && !is_rtp(stream)) {
    rules.error(path + ".payload_type", "needs sequence: rtp or rtp_extended");
  }
  if (verify.mpeg_ts && stream.sequence.counts_messages()) {
    rules.error(path + ".mpeg_ts", "packets of this sequence carry messages, not MPEG-TS");
  }
  const std::uint32_t check = verify.content_check;
  if (check != 0 && (check < 64 || !std::has_single_bit(check)) &&
      !rules.bad(path + ".content_check")) {
    rules.error(path + ".content_check", "expected 0 or a power of two from 64 on");
  }
}

void check_playout(RuleContext& rules, const FailoverSpec& failover, const std::string& path) {
  const std::string key = path + ".playout_delay";
  if (!rules.given(key) || rules.bad(path + ".release")) return;
  if (failover.release != Release::Playout) {
    rules.error(key, "has no effect without release: playout");
  } else if (failover.playout_delay < failover.max_skew && !rules.bad(path + ".max_skew")) {
    rules.error(
        key, fmt::format("{} is less than max_skew, {}: the slower leg would be late",
                         duration_text(failover.playout_delay), duration_text(failover.max_skew)));
  }
}

}  // namespace

void check_failover(RuleContext& rules, const StreamSpec& stream) {
  const std::string path = path_of(stream) + ".failover";
  check_sequence(rules, stream);
  check_messages(rules, stream, path);
  check_choice(rules, stream, path);
  check_unnumbered(rules, stream);
  check_verify(rules, stream);
  check_playout(rules, stream.failover, path);
  const bool readable = !rules.bad(path + ".max_skew") && !rules.bad(path + ".max_rate") &&
                        !rules.bad(path + ".playout_delay") && !rules.bad(path + ".release") &&
                        !rules.bad(path_of(stream) + ".sequence") && stream.sequence.width() != 0;
  if (!readable) return;
  if (stream.sequence.format == SequenceFormat::Fingerprint) {
    check_remembered(rules, stream, path);
  } else {
    check_window(rules, stream, path);
  }
}

}  // namespace castgate
