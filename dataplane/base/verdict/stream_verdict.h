// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/base/sequence/located.h"
#include "dataplane/base/verdict/ts_verdict.h"

namespace castgate {

struct VerdictConfig {
  bool rtp = true;       // the UDP payload begins with an RTP header
  bool mpeg_ts = false;  // what follows is MPEG-TS
  std::optional<std::uint8_t> payload_type;
  unsigned width = 16;  // bits of a position on the wire
  unsigned legs = 2;
};

// Where the payload of an RTP packet begins and ends: behind its CSRCs and extension, before its
// padding. Empty when they do not fit. `packet` has an RTP header.
std::span<const std::byte> rtp_payload(std::span<const std::byte> packet) noexcept;

// The verdict of a stream on each packet of its legs: 003's adverse change, packet by packet.
class StreamVerdict {
 public:
  explicit StreamVerdict(const VerdictConfig& config);

  // `payload`: the UDP payload, in which `where` was found. Nothing where the packet is not of this
  // stream's payload type.
  std::optional<Grade> judge(unsigned leg, std::span<const std::byte> payload,
                             const Located& where) noexcept;

  const TsFaults& faults(unsigned leg) const noexcept;

 private:
  struct Leg {
    std::uint64_t last = 0;
    std::uint32_t epoch = 0;
    bool seen = false;
    TsVerdict ts;
  };
  TsVerdict::Turn turn(Leg& leg, const Located& where) const noexcept;

  VerdictConfig config_;
  std::vector<std::unique_ptr<Leg>> legs_;  // where TS is judged
};

}  // namespace castgate
