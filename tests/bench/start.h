// SPDX-License-Identifier: Apache-2.0
// How every bench with packets starts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <sched.h>

#include "drivers/eal.h"

namespace castgate::bench {

// rounds (11), hugepages in MiB (0: ordinary memory), and for a profiler the one scene to run.
struct Arguments {
  unsigned rounds = 11;
  std::uint64_t hugepages_mib = 0;
  std::optional<std::size_t> only;  // by number, below `scenes`
};

inline Arguments read_arguments(int argc, char** argv, std::size_t scenes) {
  const auto number = [&](int index) { return std::strtoull(argv[index], nullptr, 10); };
  Arguments arguments;
  if (argc > 1) arguments.rounds = static_cast<unsigned>(std::max(number(1), 1ull));
  if (argc > 2) arguments.hugepages_mib = number(2);
  if (argc > 3) arguments.only = std::min<std::size_t>(number(3), scenes - 1);
  return arguments;
}

// On the core that it runs on. False, and told on standard error, where EAL does not start.
inline bool start(const Arguments& arguments, std::uint64_t memory_bytes) {
  EalOptions eal;
  eal.mode = EalOptions::Mode::Live;
  const int core = sched_getcpu();
  eal.control_core = core < 0 ? 0 : static_cast<unsigned>(core);
  eal.hugepages_bytes = arguments.hugepages_mib << 20;
  eal.memory_bytes = memory_bytes;
  const auto started = start_eal(eal);
  if (!started) fmt::print(stderr, "{}\n", started.error().text);
  return started.has_value();
}

}  // namespace castgate::bench
