// SPDX-License-Identifier: Apache-2.0
// deploy/bench.sh bridge: what a copy for a client costs, as a ratio to a bare loop measured in the
// same rounds. A row per figure: name, value, floor, goal, verdict; exits 1 where a floor is
// missed.
#include <cstdlib>
#include <fmt/format.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "drivers/ethdev_port.h"
#include "tests/bench/bridge_scene.h"
#include "tests/bench/churn_scene.h"
#include "tests/bench/figures.h"
#include "tests/bench/neighbour_scene.h"
#include "tests/bench/start.h"

namespace castgate::bench {
namespace {

constexpr std::uint64_t kPerRound = 1'000'000;  // copies

struct Row {
  BridgeOptions scene;
  bool small;  // against the loop that copies
  double floor;
  double goal;
};

std::vector<Row> rows() {
  return {
      {{.name = "1316 B, 1000 clients", .clients = 1'000}, false, 2.0, 1.3},
      {{.name = "1316 B, 10 000 clients", .clients = 10'000}, false, 3.0, 1.8},
      {{.name = "1316 B, 1000 clients, cold: 8192 buffers in flight", .in_flight = 8'192},
       false,
       2.0,
       1.4},
      {{.name = "64 B, 1000 clients", .payload = 64}, true, 2.5, 1.5},
  };
}

bool measure(unsigned rounds, const BridgeParts& parts) {
  bool good = true;
  fmt::print("{:<64} {:>10} {:>9} {:>9}  {}\n", "figure", "value", "floor", "goal", "verdict");
  std::vector<std::string> cycles;
  for (const Row& row : rows()) {
    std::vector<double> ratios;
    std::vector<double> costs;
    std::vector<double> units;
    for (unsigned round = 0; round < rounds; ++round) {
      BridgeScene scene(row.scene, parts);
      BareLoop bare(row.scene.payload, row.small, parts);
      scene.run(kPerRound / 4);
      bare.run(kPerRound / 4);
      const double before = cycles_per_packet([&] { return bare.run(kPerRound / 2); });
      const double cost = cycles_per_packet([&] { return scene.run(kPerRound); });
      const double after = cycles_per_packet([&] { return bare.run(kPerRound / 2); });
      units.push_back((before + after) / 2);
      costs.push_back(cost);
      ratios.push_back(2 * cost / (before + after));
      const std::string wrong = scene.audit();
      if (wrong.empty()) continue;
      fmt::print(stderr, "{}: {}\n", row.scene.name, wrong);
      std::exit(EXIT_FAILURE);
    }
    const char* unit = row.small ? "bare copy loop" : "bare header and refcount loop";
    good &= print({fmt::format("{} / {}", row.scene.name, unit), median(ratios), row.floor,
                   row.goal, "{:.2f}"});
    cycles.push_back(
        fmt::format("{:<62} {:8.1f} {:8.1f}\n", row.scene.name, median(costs), median(units)));
  }
  fmt::print("\n{:<62} {:>8} {:>8}\n", "cycles a copy", "median", "unit");
  for (const std::string& line : cycles) fmt::print("{}", line);
  fmt::print("time stamp counter: {:.3f} MHz\n", static_cast<double>(rte_get_tsc_hz()) / 1e6);
  return good;
}

// Two seconds of the worker's time.
bool measure_neighbour(const BridgeParts& parts) {
  NeighbourScene scene(10'000, parts);
  scene.run(std::chrono::seconds(2));
  const auto outcome = scene.outcome();
  const double lost = static_cast<double>(outcome.lost);
  const bool good =
      print({"200 kpps to 1 client beside 10 000 clients: packets lost", lost, 0, 0, "{:.0f}"});
  fmt::print(
      "  of {}; at most {} waited, of 1024; meanwhile {} copies for the others, and {} of "
      "their packets dropped\n",
      outcome.sent, outcome.most_waiting, outcome.copies, outcome.left_waiting);
  const bool crowded = outcome.sent != 0 && outcome.left_waiting != 0;
  if (!crowded) fmt::print(stderr, "no crowd: the figure says nothing\n");
  return good && crowded;
}

// How long one turn of the worker takes while clients come and go.
bool measure_churn(std::chrono::seconds span, const BridgeParts& parts) {
  ChurnScene scene(parts);
  scene.run(span);
  const auto outcome = scene.outcome();
  const auto& turns = scene.turns();
  const std::string storm = fmt::format("{} joins and leaves a second", ChurnScene::kJoins);
  bool good = print(
      {storm + ": a turn's own time, p99.9, us", quantile(turns.own, 0.999), 200, 200, "{:.1f}"});
  good &= print(
      {storm + ": copies lost by who stays", static_cast<double>(outcome.lost), 0, 0, "{:.0f}"});
  fmt::print("  of {} packets to 100; {} joins, {} copies in all, {} turns with work in {} s\n",
             outcome.sent, outcome.joins, outcome.copies, turns.own.size(), span.count());
  fmt::print("\n{:<62} {:>8} {:>8} {:>8} {:>8}\n", "us a turn", "p50", "p99", "p99.9", "most");
  const auto line = [](std::string_view name, const std::vector<double>& values) {
    fmt::print("{:<62} {:8.1f} {:8.1f} {:8.1f} {:8.1f}\n", name, quantile(values, 0.5),
               quantile(values, 0.99), quantile(values, 0.999), quantile(values, 1));
  };
  line("own time", turns.own);
  line("by the clock, other load on the core included", turns.by_clock);
  line("a bare header and refcount loop of 256 copies, by the clock", turns.unit);
  return good;
}

int main_of(const Arguments& arguments) {
  if (!start(arguments, 512ull << 20)) return 2;
  BridgeGround ground;
  const BridgeParts parts = ground.parts();
  if (!arguments.only) {
    bool good = measure(arguments.rounds, parts);
    good &= measure_neighbour(parts);
    good &= measure_churn(std::chrono::seconds(std::min(60u, 6 * arguments.rounds)), parts);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  BridgeScene scene(rows()[*arguments.only].scene, parts);
  scene.run(arguments.rounds * kPerRound);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace castgate::bench

int main(int argc, char** argv) {
  namespace bench = castgate::bench;
  return bench::main_of(bench::read_arguments(argc, argv, bench::rows().size()));
}
