// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/progress.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace castgate {

std::string progress_line(const Progress& progress) {
  const MergeSums& merged = progress.sums.merged;
  std::string line = fmt::format(
      "{:.2f} Mbit/s, {:.0f} packets/s, {} packets, {} lost, {} late, "
      "{} duplicates",
      progress.rate_bps / 1e6, progress.rate_pps, merged.packets, merged.lost, merged.late,
      merged.duplicates);
  if (progress.sums.not_written != 0) {
    line += fmt::format(", {} not written", progress.sums.not_written);
  }
  std::uint64_t forged = 0;
  for (const auto& leg : progress.sums.legs) forged += leg.forged;
  if (forged != 0) line += fmt::format(", {} forged", forged);
  for (const RelayProgress& relay : progress.relays) {
    line += fmt::format(" | {} {}", relay.name, relay.silent ? "silent" : state_name(relay.state));
  }
  return line;
}

std::string summary_text(const Progress& progress) {
  const MergeSums& merged = progress.sums.merged;
  const double seconds = progress.seconds;
  const double mean = seconds > 0 ? static_cast<double>(merged.bytes) * 8 / seconds / 1e6 : 0;
  std::string text = fmt::format(
      "{} packets, {} bytes in {:.1f} s ({:.2f} Mbit/s); {} lost, {} late, {} duplicates, "
      "{} malformed, {} not believed, {} not written\n",
      merged.packets, merged.bytes, seconds, mean, merged.lost, merged.late, merged.duplicates,
      merged.malformed, merged.other, progress.sums.not_written);
  for (std::size_t i = 0; i < progress.relays.size(); ++i) {
    const RelayProgress& relay = progress.relays[i];
    const auto& leg = progress.sums.legs[i];
    text += fmt::format(
        "{}: {} packets, {} lost, {} late, {} forged, {} replayed, {} from other addresses, "
        "{} dropped by the kernel, joined {} times\n",
        relay.name, leg.received, merged.legs[i].lost, merged.legs[i].late, leg.forged,
        leg.replayed, leg.foreign, leg.kernel_drops, relay.joins);
  }
  return text;
}

std::string progress_json(const Progress& progress) {
  const MergeSums& merged = progress.sums.merged;
  nlohmann::ordered_json line{{"summary", progress.last},
                              {"seconds", progress.seconds},
                              {"rate_bps", progress.rate_bps},
                              {"rate_pps", progress.rate_pps},
                              {"packets", merged.packets},
                              {"bytes", merged.bytes},
                              {"lost", merged.lost},
                              {"late", merged.late},
                              {"duplicates", merged.duplicates},
                              {"malformed", merged.malformed},
                              {"not_believed", merged.other},
                              {"not_written", progress.sums.not_written}};
  auto& relays = line["relays"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < progress.relays.size(); ++i) {
    const RelayProgress& relay = progress.relays[i];
    const auto& leg = progress.sums.legs[i];
    relays.push_back({{"relay", relay.name},
                      {"state", state_name(relay.state)},
                      {"silent", relay.silent},
                      {"joins", relay.joins},
                      {"packets", leg.received},
                      {"lost", merged.legs[i].lost},
                      {"late", merged.legs[i].late},
                      {"forged", leg.forged},
                      {"replayed", leg.replayed},
                      {"foreign", leg.foreign},
                      {"too_long", leg.too_long},
                      {"kernel_drops", leg.kernel_drops},
                      {"complaint", relay.complaint}});
  }
  return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace castgate
