// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>

#include "pipelines/key_entry.h"
#include "pipelines/rules.h"

namespace castgate {
namespace {

// Why the numbers of this sequence cannot be moved; empty where they can.
std::string unmovable(const SequenceSpec& sequence) {
  if (sequence.format == SequenceFormat::Fingerprint) {
    return "has no effect: sequence: fingerprint has no numbers, its legs may come from "
           "independent servers as they are; leave it out";
  }
  if (sequence.format == SequenceFormat::IexTp) {
    return "IEX-TP numbers bytes beside messages, and how those differ is not known: give legs of "
           "one server, without offset";
  }
  return {};
}

// Why an offset in this sequence cannot be learnt.
std::string unlearnable(const SequenceSpec& sequence) {
  if (sequence.counts_messages()) {
    return "auto compares packets of one position each, and servers of messages need not put the "
           "same ones into a packet: give the offset as a number";
  }
  if (sequence.generic.epoch.width != 0) {
    return "auto cannot tell which epoch of one server is which of another: leave sequence.epoch "
           "out, or give the offset as a number";
  }
  return {};
}

void check_memory(RuleContext& rules, const StreamSpec& stream, const std::string& key) {
  const std::string failover = path_of(stream) + ".failover";
  if (rules.bad(failover + ".max_skew") || rules.bad(failover + ".max_rate")) return;
  const std::uint64_t remembered = remembered_payloads(stream);
  if (remembered <= kMaxOffsetPayloads) return;
  rules.error(key, fmt::format("auto would remember {} payloads of each leg, twice max_rate x "
                               "max_skew, at most {}: lower failover.max_skew or max_rate, or "
                               "give the offset as a number",
                               remembered, kMaxOffsetPayloads));
}

void check_offset(RuleContext& rules, const StreamSpec& stream, const LegSpec& leg) {
  const std::string key = path_of(stream, leg) + ".offset";
  std::string fault = unmovable(stream.sequence);
  if (fault.empty() && leg.offset.automatic) fault = unlearnable(stream.sequence);
  if (!fault.empty()) return rules.error(key, fault);
  if (leg.offset.automatic) return check_memory(rules, stream, key);
  const unsigned width = stream.sequence.width();
  if (width == 0 || width >= 64) return;
  const std::int64_t range = std::int64_t{1} << width;
  if (leg.offset.positions < range && leg.offset.positions > -range) return;
  rules.error(key, fmt::format("{} is out of range: numbers of this sequence have {} bits, {} to "
                               "{}",
                               leg.offset.positions, width, 1 - range, range - 1));
}

}  // namespace

void check_offsets(RuleContext& rules, const StreamSpec& stream) {
  const std::string sequence = path_of(stream) + ".sequence";
  if (rules.bad(sequence) || rules.bad(sequence + ".format")) return;
  const auto is_reference = [](const LegSpec& leg) { return leg.offset.is_none(); };
  if (!stream.legs.empty() && std::ranges::none_of(stream.legs, is_reference)) {
    rules.error(path_of(stream, stream.legs.front()) + ".offset",
                "every leg has one: leave it out for the leg whose numbers are the stream's");
  }
  for (const LegSpec& leg : stream.legs) {
    if (!is_reference(leg)) check_offset(rules, stream, leg);
  }
}

}  // namespace castgate
