// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "dataplane/base/restamp/datagram.h"
#include "dataplane/base/restamp/splicer.h"
#include "dataplane/contract/spec.h"
#include "dataplane/stage.h"

namespace castgate {

// Makes a stream's own RTP face, in place: one numbering over all restarts of its source, a header
// before what has none, or none before what has one. Expects the tag of classify and packets of one
// segment that nobody shares; other streams' packets go past it as they are.
class RestampStage final : public Stage {
 public:
  // `mine[s]`: does this worker serve stream s.
  RestampStage(const Spec& spec, const std::vector<bool>& mine, Stage& next);

  // Has any stream of this worker to do with the stage?
  static bool is_needed(const Spec& spec, const std::vector<bool>& mine) noexcept;

  void process(std::span<rte_mbuf* const> burst, Instant now) noexcept override;
  void begin_epoch(unsigned stream, Instant came) noexcept override;
  void skip(unsigned stream, std::uint64_t positions) noexcept override;

  void show_drops_to(Tap* tap) noexcept { bin_.show_to(tap, true); }
  const DropCounters& drops() const noexcept { return bin_.counters(); }

 private:
  enum class Change : std::uint8_t { None, Splice, Insert, Strip };
  struct Lane {
    Change change = Change::None;
    std::uint16_t at = 0;  // in splices_ or inserts_
  };
  struct Splice {
    RtpSplicer splicer;
    std::uint32_t ssrc = 0;
    bool extended = false;
  };
  struct Insert {
    RtpStamp stamp;  // of the next packet
    std::uint32_t clock_rate = 0;
    bool sees_gaps = false;     // in time for the numbers to show them
    bool one_a_packet = false;  // position
  };

  bool change(rte_mbuf* packet, const PacketTag& tag, Lane lane, Instant now) noexcept;
  bool splice(rte_mbuf* packet, const HeaderPlaces& at, Splice& with, Instant now) noexcept;
  bool insert(rte_mbuf* packet, const HeaderPlaces& at, Insert& with, Instant now) noexcept;
  bool strip(rte_mbuf* packet, const HeaderPlaces& at) noexcept;

  Stage& next_;
  std::vector<Lane> lanes_;  // by stream index
  std::vector<Splice> splices_;
  std::vector<Insert> inserts_;
  DropBin bin_;
};

}  // namespace castgate
