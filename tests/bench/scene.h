// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/pipeline.h"
#include "drivers/packet_pool.h"
#include "tests/bench/generator_port.h"

namespace castgate::bench {

struct SceneOptions {
  std::string name;
  Release release = Release::Ordered;
  unsigned streams = 64;
  std::uint64_t window = 2048;
  double loss = 0;
  unsigned behind = 0;
  unsigned written_ahead = 0;
  bool verify_udp = false;
  bool moldudp64 = false;
  bool mpeg_ts = false;
  bool verdicts = false;  // mpeg_ts: judged by all that a stream may ask for
  bool prefer = false;
};

// What two legs cost: generators, the whole pipeline, net_null. One thread, no worker loop around
// it but what a worker does per turn.
class Scene final : private ClassifyExits, private EventSink {
 public:
  // `sink` is where every output leaves. Pools are shared by all scenes of a run.
  Scene(const SceneOptions& options, rte_mempool* pool, Port& sink);
  ~Scene() override;

  // Turns of one burst per leg until `packets` were received; returns how many were.
  std::uint64_t run(std::uint64_t packets);
  // One packet at a time, from reception to the end of transmission, in cycles each.
  std::vector<std::uint32_t> residence(std::size_t packets);

  const SceneOptions& options() const noexcept { return options_; }
  // Drains and says what does not add up; empty when all is well.
  std::string audit();
  std::uint64_t window_bytes() const;

 private:
  bool hand_over(rte_mbuf*, unsigned) noexcept override { return false; }
  bool punt(rte_mbuf*, unsigned, HostKind, Instant) noexcept override { return false; }
  void report(const Event&) noexcept override { ++events_; }
  Instant turn() noexcept;

  SceneOptions options_;
  Spec spec_;
  rte_mempool* pool_;
  std::uint64_t events_ = 0;
  std::uint64_t packets_ = 0;
  std::array<std::unique_ptr<GeneratorPort>, 2> legs_;
  std::unique_ptr<FlowTable> flows_;
  std::unique_ptr<Pipeline> pipeline_;
  std::vector<Port*> ports_;
};

// The unit: receives from the same generators, streams and losses alike, swaps MAC addresses and
// transmits to the same driver. Always written just before reception, and without the checksum.
class Unit {
 public:
  Unit(const SceneOptions& options, rte_mempool* pool, Port& sink);
  std::uint64_t run(std::uint64_t packets);

 private:
  std::array<std::unique_ptr<GeneratorPort>, 2> legs_;
  Port& sink_;
};

}  // namespace castgate::bench
