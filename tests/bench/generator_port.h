// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "drivers/port.h"

namespace castgate::bench {

struct GeneratorOptions {
  unsigned leg = 0;            // of every stream: group 239.<leg + 1>.x.y
  unsigned streams = 64;       // in turn, one packet each
  double loss = 0;             // share of positions that this leg never brings
  unsigned behind = 0;         // positions by which every stream lags the other leg
  unsigned written_ahead = 0;  // packets between writing a header and handing it over
  bool udp_checksum = false;
  bool moldudp64 = false;  // kMessages in each packet, instead of RTP
  bool mpeg_ts = false;    // RTP with kTsPackets of one PID; spoils the pool for UDP sums
  std::uint64_t seed = 1;
};

inline constexpr unsigned kPayload = 1358;  // a frame of 1400 bytes without FCS
inline constexpr unsigned kMessages = 6;    // that fill the payload behind MoldUDP64's header
inline constexpr unsigned kTsPackets = 7;
inline constexpr std::uint16_t kUdpPort = 5000;

// The group of a stream on a leg.
IpAddress group_of(unsigned leg, unsigned stream);

// RTP over one leg of many streams, as fast as it is asked. Payloads are written once, when the
// pool is made; per packet only the headers are, as a driver's descriptor fetch would leave them.
class GeneratorPort final : public Port {
 public:
  GeneratorPort(const GeneratorOptions& options, rte_mempool* pool);
  ~GeneratorPort() override;

  // Fills every buffer of the pool with a payload once. UDP sums rely on it.
  static void prefill(rte_mempool* pool);

  unsigned receive(unsigned queue, std::span<rte_mbuf*> burst) noexcept override;
  unsigned transmit(unsigned queue, std::span<rte_mbuf* const> burst) noexcept override;
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return {}; }
  std::uint64_t skipped() const noexcept { return skipped_; }

 private:
  struct Line {
    std::uint8_t header[64];  // Ethernet, IPv4, UDP, RTP or MoldUDP64 with the first length
    std::uint64_t sequence;   // of RTP the low 16 bits
  };

  void write(rte_mbuf* packet) noexcept;
  unsigned make(std::span<rte_mbuf*> burst) noexcept;
  bool lose() noexcept;

  GeneratorOptions options_;
  PortFacts facts_;
  rte_mempool* pool_;
  std::vector<Line> lines_;
  std::size_t next_ = 0;
  std::uint64_t waiting_;  // turns of all streams before the first packet
  std::uint64_t random_;
  std::uint64_t threshold_;
  std::uint64_t skipped_ = 0;
  std::vector<rte_mbuf*> ahead_;
  std::size_t ahead_at_ = 0;
};

}  // namespace castgate::bench
