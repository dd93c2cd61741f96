// SPDX-License-Identifier: Apache-2.0
// The scenes of deploy/bench.sh failover, by number.
#pragma once

#include <cstddef>
#include <vector>

#include "tests/bench/scene.h"

namespace castgate::bench {

enum Index : std::size_t {
  Ordered64,
  Ordered1000Lossy,
  Ordered64Behind,
  Arrival1000Lossy,
  Cold,
  UdpSummed,
  Ordered1,
  Ordered1000,
  OrderedWide,
  Rtp4096,
  Mold4096,
  Prefer4096,
  PreferBehind,
  TsUnjudged,
  TsJudged
};
inline constexpr std::size_t kScenes = TsJudged + 1;

inline std::vector<SceneOptions> scenes() {
  const Release ordered = Release::Ordered;
  return {
      {"ordered, 64 streams, no loss, window 2048", ordered, 64},
      {"ordered, 1000 streams, 1 % loss per leg, window 32768", ordered, 1000, 32768, 0.01},
      {"ordered, 64 streams, 1 % loss, one leg 64 packets behind", ordered, 64, 2048, 0.01, 64},
      {"arrival, 1000 streams, 1 % loss", Release::Arrival, 1000, 2048, 0.01},
      {"cold reception, written 4096 packets earlier, 64 streams", ordered, 64, 2048, 0, 0, 2048},
      {"ordered, 64 streams, UDP checksum verified", ordered, 64, 2048, 0, 0, 0, true},
      {"ordered, 1 stream", ordered, 1},
      {"ordered, 1000 streams", ordered, 1000},
      {"ordered, 64 streams, window 32768", ordered, 64, 32768},
      {"ordered, 64 streams, 1 % loss, window 4096", ordered, 64, 4096, 0.01},
      {.name = "the same with MoldUDP64, 6 messages a packet",
       .release = ordered,
       .streams = 64,
       .window = 4096,
       .loss = 0.01,
       .moldudp64 = true},
      {.name = "the same, RTP, leg A preferred",
       .release = ordered,
       .streams = 64,
       .window = 4096,
       .loss = 0.01,
       .prefer = true},
      {.name = "leg A preferred and 64 packets ahead, 1 % loss",
       .release = ordered,
       .streams = 64,
       .window = 4096,
       .loss = 0.01,
       .behind = 64,
       .prefer = true},
      {.name = "MPEG-TS, no verdicts", .release = ordered, .streams = 64, .mpeg_ts = true},
      {.name = "MPEG-TS, every verdict",
       .release = ordered,
       .streams = 64,
       .mpeg_ts = true,
       .verdicts = true},
  };
}

}  // namespace castgate::bench
