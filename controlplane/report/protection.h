// SPDX-License-Identifier: Apache-2.0
// The one place that says what `protection: full | partial | none` means.
//
// Positions of a stream are those it forwarded and those it gave up (`unrecovered`). A leg *stands*
// when it delivered, in time, at least 95 of 100 of them and has not diverged. A leg that delivered
// anything in time *took part*.
//
//   none     fewer than two legs took part: whatever the output looks like, nothing protected it
//   full     two legs or more stand, and no position was given up: any one of them could have died
//   partial  all else. Either positions are missing from the output, or the output is whole and a
//            leg is not: the latent error of IEEE 802.1CB 7.4.4, which the next fault makes a real
//            one
//
// Over several streams: full or none where every stream agrees, else partial.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/contract/snapshot.h"

namespace castgate {

enum class Protection : std::uint8_t { None, Partial, Full };

inline constexpr std::array<std::string_view, 3> kProtectionNames{"none", "partial", "full"};

constexpr std::string_view name_of(Protection protection) noexcept {
  return kProtectionNames[static_cast<std::size_t>(protection)];
}

struct StreamProtection {
  Protection grade = Protection::None;
  std::string reason;  // why it is not full; empty where it is
};

StreamProtection judge_protection(const StreamSnapshot& stream);
Protection judge_protection(const std::vector<StreamSnapshot>& streams);

// Packets of the leg that came in time and carried a position of the stream.
std::uint64_t delivered_in_time(const LegSnapshot& leg) noexcept;

// Share of the positions missing on some leg that left all the same, 0 to 1; none where no leg
// missed any.
std::optional<double> save_rate(const StreamSnapshot& stream) noexcept;

// Whether the legs lose together. Were their losses independent, of all positions the product of
// the legs' loss ratios would be missing on every leg, by chance.
struct CorrelatedLoss {
  double by_chance = 0;  // positions
  double ratio = 0;      // unrecovered over by_chance: 1 is chance, more is a cause they share
};

// None for a stream of one leg, and where some leg lost nothing.
std::optional<CorrelatedLoss> correlated_loss(const StreamSnapshot& stream) noexcept;

}  // namespace castgate
