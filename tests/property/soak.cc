// SPDX-License-Identifier: Apache-2.0
// soak [PACKETS]: many packets through whole pipelines, most of them twice, some lost on either
// leg, half of them held. At the end every pool is back at its baseline, every sum is right.
#include <cstdio>
#include <cstdlib>

#include "drivers/eal.h"
#include "drivers/ethdev_port.h"
#include "tests/bench/scene.h"

namespace castgate::bench {
namespace {

int soak(std::uint64_t packets) {
  if (auto started = start_eal({.memory_bytes = 512ull << 20}); !started) {
    std::fprintf(stderr, "%s\n", started.error().text.c_str());
    return EXIT_FAILURE;
  }
  auto pool = PacketPool::make({"soak", 65535, 1518, 512});
  if (!pool) {
    std::fprintf(stderr, "%s\n", pool.error().text.c_str());
    return EXIT_FAILURE;
  }
  EthdevOptions sink;
  sink.name = "sink";
  sink.device = "net_null0";
  sink.rx_pools = {pool->get()};
  auto port = EthdevPort::open(sink);
  if (!port) {
    std::fprintf(stderr, "%s\n", port.error().text.c_str());
    return EXIT_FAILURE;
  }
  const std::vector<SceneOptions> scenes{
      {"ordered, one leg 64 packets behind", Release::Ordered, 64, 2048, 0.01, 64},
      {"arrival", Release::Arrival, 100, 2048, 0.1},
      {"ordered, sums verified", Release::Ordered, 64, 2048, 0.3, 0, 0, true},
      {"playout", Release::Playout, 64, 2048, 0.01, 64},
  };
  for (const SceneOptions& options : scenes) {
    Scene scene(options, pool->get(), **port);
    scene.run(packets / scenes.size());
    const std::string wrong = scene.audit();
    std::printf("%-40s %s\n", options.name.c_str(), wrong.empty() ? "ok" : wrong.c_str());
    if (!wrong.empty()) return EXIT_FAILURE;
  }
  port->reset();
  const unsigned left = pool->in_use();
  std::printf("%llu packets, %u left behind\n", static_cast<unsigned long long>(packets), left);
  return left == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace castgate::bench

int main(int argc, char** argv) {
  const std::uint64_t packets = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  return castgate::bench::soak(packets);
}
