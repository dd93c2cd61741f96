// SPDX-License-Identifier: Apache-2.0
// How benches measure and print.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <fmt/format.h>
#include <string>
#include <utility>
#include <vector>

#include <rte_cycles.h>

namespace castgate::bench {

inline double thread_cycles() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  const double seconds =
      static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
  return seconds * static_cast<double>(rte_get_tsc_hz());
}

template <class Run>
double cycles_per_packet(Run&& run) {
  const double begin = thread_cycles();
  const std::uint64_t packets = run();
  return (thread_cycles() - begin) / static_cast<double>(packets);
}

// `share` of the values are below it: 0 to 1.
inline double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto place = static_cast<std::size_t>(share * static_cast<double>(values.size()));
  return values[std::min(place, values.size() - 1)];
}

inline double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

struct Figure {
  std::string name;
  double value;
  double floor;
  double goal;
  const char* format;
};

inline bool print_row(const Figure& row, bool missed, bool reached) {
  const char* verdict = missed ? "FLOOR MISSED" : reached ? "goal" : "floor";
  fmt::print("{:<64} {:>10} {:>9} {:>9}  {}\n", row.name,
             fmt::format(fmt::runtime(row.format), row.value),
             fmt::format(fmt::runtime(row.format), row.floor),
             fmt::format(fmt::runtime(row.format), row.goal), verdict);
  return !missed;
}

// The smaller, the better. False where the floor is missed.
inline bool print(const Figure& row) {
  return print_row(row, row.value > row.floor, row.value <= row.goal);
}
// The larger, the better.
inline bool print_at_least(const Figure& row) {
  return print_row(row, row.value < row.floor, row.value >= row.goal);
}

}  // namespace castgate::bench
