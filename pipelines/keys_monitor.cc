// SPDX-License-Identifier: Apache-2.0
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

using D = const Defaults&;

constexpr std::uint64_t kPerCent = 10'000;  // parts per million

constexpr KeyInfo kTable[] = {
    {.path = "streams.*.monitor",
     .fallback = none_text,
     .meaning = "when what its legs do is an alarm"},
    {.path = "streams.*.monitor.degrade_loss",
     .kind = KeyKind::Share,
     .least = 1,
     .most = 100 * kPerCent,
     .fallback = [](D d) { return quantity_text(d.monitor.degrade_loss_ppm, kShares); },
     .meaning = "a leg that loses more within a second is degraded: alarm signal_degrade"},
    {.path = "streams.*.monitor.latent_error_period",
     .kind = KeyKind::Duration,
     .least = kSecond,
     .most = 60 * kSecond,
     .fallback = [](D d) { return duration_text(d.monitor.latent_error_period); },
     .meaning = "over which each leg is compared with the output; never under 4 x max_skew"},
    {.path = "streams.*.monitor.latent_error_difference",
     .kind = KeyKind::Share,
     .least = kPerCent,
     .most = 50 * kPerCent,
     .fallback = [](D d) { return quantity_text(d.monitor.latent_error_difference_ppm, kShares); },
     .meaning = "a leg that brings so much less than leaves is missed: alarm latent_error"},
    {.path = "streams.*.monitor.down_after",
     .kind = KeyKind::Duration,
     .least = kSecond,
     .most = 60 * kSecond,
     .fallback = [](D d) { return duration_text(d.monitor.down_after); },
     .meaning = "without a packet of any leg: alarm all_legs_down"},
};

}  // namespace

const std::span<const KeyInfo> kMonitorKeys = kTable;

}  // namespace castgate
