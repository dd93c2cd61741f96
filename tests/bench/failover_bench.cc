// SPDX-License-Identifier: Apache-2.0
// deploy/bench.sh failover: what the merge path costs, as ratios to a unit measured in the same
// rounds. A row per figure: name, value, floor, goal, verdict; exits 1 where a floor is missed.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fmt/format.h>

#include <rte_cycles.h>

#include "drivers/ethdev_port.h"
#include "tests/bench/failover_scenes.h"
#include "tests/bench/figures.h"
#include "tests/bench/fingerprint_step.h"
#include "tests/bench/start.h"

namespace castgate::bench {
namespace {

constexpr std::uint64_t kPerRound = 400'000;
constexpr double kSteady = 1.25;  // rounds whose unit is above this times its best do not count

class Bench {
 public:
  Bench(rte_mempool* pool, rte_mempool* spoilt, Port& sink)
      : pool_(pool), spoilt_(spoilt), sink_(sink) {}
  bool run(unsigned rounds);

 private:
  void measure(unsigned rounds);
  bool judge();
  bool judge_residence();
  bool judge_memory();
  static bool judge_fingerprint(unsigned rounds);
  double ratio(std::size_t scene) const { return median(ratios_[scene]); }
  double between(std::size_t over, std::size_t under) const;

  rte_mempool* pool_;
  rte_mempool* spoilt_;  // for scenes that write into payloads
  Port& sink_;
  std::vector<std::vector<double>> units_{kScenes};
  std::vector<std::vector<double>> cycles_{kScenes};
  std::vector<std::vector<double>> ratios_{kScenes};
};

void Bench::measure(unsigned rounds) {
  const auto options = scenes();
  for (unsigned round = 0; round < rounds; ++round) {
    for (std::size_t s = 0; s < options.size(); ++s) {
      // One scene at a time owns the pool; it warms up, then takes its turn beside the unit.
      rte_mempool* pool = options[s].mpeg_ts ? spoilt_ : pool_;
      Scene scene(options[s], pool, sink_);
      Unit beside(options[s], pool, sink_);
      scene.run(kPerRound);
      beside.run(kPerRound / 4);
      const double unit = cycles_per_packet([&] { return beside.run(kPerRound / 2); });
      const double cost = cycles_per_packet([&] { return scene.run(kPerRound); });
      const double again = cycles_per_packet([&] { return beside.run(kPerRound / 2); });
      units_[s].push_back((unit + again) / 2);
      cycles_[s].push_back(cost);
      ratios_[s].push_back(2 * cost / (unit + again));
      const std::string wrong = scene.audit();
      if (wrong.empty()) continue;
      fmt::print(stderr, "{}: {}\n", options[s].name, wrong);
      std::exit(EXIT_FAILURE);
    }
    fmt::print(stderr, "\rround {} of {}", round + 1, rounds);
  }
  fmt::print(stderr, "\n");
  // Rounds in which the core was slowed by others.
  for (std::size_t s = 0; s < kScenes; ++s) {
    const double best = *std::ranges::min_element(units_[s]);
    std::vector<double> kept;
    for (unsigned round = 0; round < rounds; ++round) {
      if (units_[s][round] <= kSteady * best) kept.push_back(ratios_[s][round]);
    }
    if (kept.size() * 3 >= rounds) ratios_[s] = kept;
  }
}

// Of two scenes of the same rounds.
double Bench::between(std::size_t over, std::size_t under) const {
  return ratio(over) / ratio(under);
}

bool Bench::judge() {
  const auto options = scenes();
  constexpr double kFloors[] = {2.7, 3.0, 3.7, 3.0, 3.2};
  constexpr double kGoals[] = {1.9, 1.95, 2.6, 1.95, 2.5};
  bool good = true;
  for (std::size_t s = Ordered64; s <= Cold; ++s) {
    good &= print({options[s].name + " / unit", ratio(s), kFloors[s], kGoals[s], "{:.2f}"});
  }
  good &= print({"UDP checksum verified in software: added / unit",
                 ratio(UdpSummed) - ratio(Ordered64), 3.4, 2.4, "{:.2f}"});
  good &= print({"1000 streams / 1 stream", between(Ordered1000, Ordered1), 1.3, 1.08, "{:.3f}"});
  good &= print({"window 32768 / 2048", between(OrderedWide, Ordered64), 1.1, 1.03, "{:.3f}"});
  good &= print({"MoldUDP64 / RTP, 1 % loss", between(Mold4096, Rtp4096), 1.3, 1.1, "{:.3f}"});
  good &= print({"prefer / merge, 1 % loss", between(Prefer4096, Rtp4096), 1.5, 1.15, "{:.3f}"});
  good &=
      print({"MPEG-TS, every verdict / none", between(TsJudged, TsUnjudged), 2.0, 1.4, "{:.3f}"});
  return good;
}

bool Bench::judge_residence() {
  std::optional<double> best;
  std::uint32_t extreme = 0;
  for (unsigned run = 0; run < 5; ++run) {
    Scene scene({"residence", Release::Arrival, 64}, pool_, sink_);
    scene.run(kPerRound);
    std::vector<std::uint32_t> cycles = scene.residence(200'000);
    std::ranges::sort(cycles);
    const double p99 = cycles[cycles.size() * 99 / 100];
    if (best && p99 >= *best) continue;
    best = p99;
    extreme = cycles[cycles.size() * 9999 / 10000];
  }
  const bool good = print(
      {"residence p99, arrival, bursts of one, best of 5, cycles", *best, 2000, 1000, "{:.0f}"});
  fmt::print("{:<64} {:>10}\n", "  p99.99 of the same run", extreme);
  return good;
}

bool Bench::judge_memory() {
  Scene scene({"memory", Release::Arrival, 1000, 2048}, pool_, sink_);
  constexpr double kMiB = 1 << 20;
  return print({"1000 streams, window 2048, arrival: window memory, MiB",
                static_cast<double>(scene.window_bytes()) / kMiB, 4, 1, "{:.2f}"});
}

bool Bench::judge_fingerprint(unsigned rounds) {
  bool good = true;
  for (const bool ordered : {false, true}) {
    FingerprintStep step(ordered ? MergeRelease::Ordered : MergeRelease::Arrival);
    step.run(kPerRound);
    std::vector<double> costs;
    costs.reserve(rounds);
    for (unsigned round = 0; round < rounds; ++round) {
      costs.push_back(cycles_per_packet([&] { return step.run(kPerRound); }) / kTsPayload);
    }
    const char* name = ordered ? "fingerprint, ordered" : "fingerprint, arrival";
    good &= print({fmt::format("{}, over {} B, 1 % loss: cycles per byte", name, kTsPayload),
                   median(costs), 0.6, 0.3, "{:.3f}"});
  }
  return good;
}

bool Bench::run(unsigned rounds) {
  measure(rounds);
  fmt::print("{:<64} {:>10} {:>9} {:>9}  {}\n", "figure", "value", "floor", "goal", "verdict");
  bool good = judge();
  good &= judge_residence();
  good &= judge_memory();
  good &= judge_fingerprint(rounds);
  fmt::print("\n{:<62} {:>8} {:>8} {:>8}\n", "cycles a packet", "median", "best", "unit");
  const auto options = scenes();
  for (std::size_t s = 0; s < kScenes; ++s) {
    fmt::print("{:<62} {:8.1f} {:8.1f} {:8.1f}\n", options[s].name, median(cycles_[s]),
               *std::ranges::min_element(cycles_[s]), median(units_[s]));
  }
  fmt::print("time stamp counter: {:.3f} MHz\n", static_cast<double>(rte_get_tsc_hz()) / 1e6);
  return good;
}

int profile(const SceneOptions& options, unsigned rounds, rte_mempool* pool, Port& sink) {
  Scene scene(options, pool, sink);
  for (unsigned round = 0; round < rounds; ++round) scene.run(kPerRound);
  fmt::print("{}: {} packets\n", options.name, rounds * kPerRound);
  return EXIT_SUCCESS;
}

int main_of(const Arguments& arguments) {
  if (!start(arguments, 1024ull << 20)) return 2;
  auto pool = PacketPool::make({"bench", 131071, 1518, 512});
  if (!pool) {
    fmt::print(stderr, "{}\n", pool.error().text);
    return 2;
  }
  GeneratorPort::prefill(pool->get());
  EthdevOptions sink;
  sink.name = "sink";
  sink.device = "net_null0";
  sink.rx_pools = {pool->get()};
  auto port = EthdevPort::open(sink);
  if (!port) {
    fmt::print(stderr, "{}\n", port.error().text);
    return 2;
  }
  auto spoilt = PacketPool::make({"spoilt", 32767, 1518, 512});
  if (!spoilt) {
    fmt::print(stderr, "{}\n", spoilt.error().text);
    return 2;
  }
  const unsigned rounds = arguments.rounds;
  if (arguments.only) return profile(scenes()[*arguments.only], rounds, pool->get(), **port);
  return Bench(pool->get(), spoilt->get(), **port).run(rounds) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace castgate::bench

int main(int argc, char** argv) {
  namespace bench = castgate::bench;
  return bench::main_of(bench::read_arguments(argc, argv, bench::kScenes));
}
