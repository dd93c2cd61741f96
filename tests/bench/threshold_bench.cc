// SPDX-License-Identifier: Apache-2.0
// deploy/bench.sh threshold: from which payload on a client's packet is cheaper as a header before
// the shared payload than as a copy (unicast.copy_threshold). A table of cycles a copy, medians of
// rounds in which both alternate; nothing is judged.
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <limits>

#include <rte_ethdev.h>

#include "drivers/ethdev_port.h"
#include "tests/bench/bridge_scene.h"
#include "tests/bench/figures.h"
#include "tests/bench/start.h"

namespace castgate::bench {
namespace {

constexpr std::array kPayloads{64u, 128u, 256u, 512u, 1024u, 1316u, 1400u};  // bytes
constexpr std::array kClients{32u, 1'000u, 10'000u};
constexpr std::array kInFlight{0u, 1'024u};   // buffers that the driver has not freed yet
constexpr std::uint64_t kPerRound = 300'000;  // copies
constexpr unsigned kCopied = std::numeric_limits<unsigned>::max();

struct Cost {
  double copied;
  double shared;
};

Cost measure(BridgeOptions options, unsigned rounds, const BridgeParts& parts) {
  std::array<std::vector<double>, 2> costs;
  for (unsigned round = 0; round < rounds; ++round) {
    for (const bool shared : {false, true}) {
      options.copy_threshold = shared ? 0 : kCopied;
      BridgeScene scene(options, parts);
      scene.run(kPerRound / 4);
      costs[shared].push_back(cycles_per_packet([&] { return scene.run(kPerRound); }));
      if (const std::string wrong = scene.audit(); !wrong.empty()) {
        fmt::print(stderr, "{}\n", wrong);
        std::exit(EXIT_FAILURE);
      }
    }
  }
  return {median(costs[0]), median(costs[1])};
}

void print_table(unsigned in_flight, unsigned rounds, const BridgeParts& parts) {
  fmt::print("{} buffers in flight; cycles a copy: copied, shared\n{:>8}", in_flight, "payload");
  for (const unsigned clients : kClients) fmt::print("{:>22}", fmt::format("{} clients", clients));
  fmt::print("\n");
  for (const unsigned payload : kPayloads) {
    fmt::print("{:>8}", payload);
    for (const unsigned clients : kClients) {
      const Cost cost =
          measure({.name = "", .clients = clients, .payload = payload, .in_flight = in_flight},
                  rounds, parts);
      fmt::print("{:>14.1f}{:>8.1f}", cost.copied, cost.shared);
    }
    fmt::print("\n");
  }
  fmt::print("\n");
}

int main_of(const Arguments& arguments) {
  if (!start(arguments, 512ull << 20)) return EXIT_FAILURE;
  BridgeGround ground;
  const BridgeParts parts = ground.parts();
  for (const unsigned in_flight : kInFlight) print_table(in_flight, arguments.rounds, parts);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace castgate::bench

int main(int argc, char** argv) {
  return castgate::bench::main_of(castgate::bench::read_arguments(argc, argv, 1));
}
