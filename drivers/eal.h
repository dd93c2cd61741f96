// SPDX-License-Identifier: Apache-2.0
// DPDK's environment (EAL): once per process, and never again after it was stopped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/error.h"

namespace castgate {

struct EalOptions {
  // Quiet: replay, unit tests, benches without a port; needs no root, no hugepages, no device.
  enum class Mode : std::uint8_t { Quiet, Live };
  Mode mode = Mode::Quiet;
  std::vector<unsigned> worker_cores;  // Live: worker i runs on lcore i + 1, pinned to this core
  unsigned control_core = 0;           // Live: lcore 0, the calling thread, is pinned here
  std::uint64_t hugepages_bytes = 0;   // 0: ordinary memory, reserved but only used when touched
  std::uint64_t memory_bytes = 256ull << 20;  // without hugepages: the most that pools may take
  std::vector<std::string> devices;           // the ports' devices; only PCI addresses matter here
  bool verbose = false;                       // EAL's own messages go to standard error
};

// Checks what EAL would panic about, then starts it. The error names what the host lacks and how to
// mend it. Expects the process's first thread; it becomes the main lcore.
Result<void> start_eal(const EalOptions& options);

// Frees what EAL holds and removes its runtime directory. Every pool and port must be gone.
void stop_eal();

// The lcore that runs worker `index`, for rte_eal_remote_launch.
constexpr unsigned worker_lcore(unsigned index) noexcept {
  return index + 1;
}

}  // namespace castgate
