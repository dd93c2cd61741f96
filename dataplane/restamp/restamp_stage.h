// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
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
  enum class Kind : std::uint8_t { None, Splice, Insert, Strip };
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

  // What is done to a stream, made by the control thread.
  struct Face {
    Kind kind = Kind::None;
    std::unique_ptr<Splice> splice;
    std::unique_ptr<Insert> insert;
  };
  static Face make_face(const StreamSpec& stream);

  // For a worker that has none yet: knows no stream, and set_next() comes before the first packet.
  explicit RestampStage(std::size_t streams) : kinds_(streams), faces_(streams) {}

  // `mine[s]`: does this worker serve stream s. `streams`: most there will ever be.
  RestampStage(const Spec& spec, const std::vector<bool>& mine, Stage& next,
               std::size_t streams = 0);

  void set_next(Stage& next) noexcept { next_ = &next; }
  // A face that goes on numbers what follows after what left; what it was is in `face` afterwards.
  void install(std::size_t stream, Face& face) noexcept;

  // Has any stream of this worker to do with the stage?
  static bool is_needed(const Spec& spec, const std::vector<bool>& mine) noexcept;

  void process(std::span<rte_mbuf* const> burst, Instant now) noexcept override;
  void begin_epoch(unsigned stream, Instant came) noexcept override;
  void skip(unsigned stream, std::uint64_t positions) noexcept override;

  void show_drops_to(Tap* tap) noexcept { bin_.show_to(tap, true); }
  const DropCounters& drops() const noexcept { return bin_.counters(); }

 private:
  bool change(rte_mbuf* packet, const PacketTag& tag, Instant now) noexcept;
  bool splice(rte_mbuf* packet, const HeaderPlaces& at, Splice& with, Instant now) noexcept;
  bool insert(rte_mbuf* packet, const HeaderPlaces& at, Insert& with, Instant now) noexcept;
  bool strip(rte_mbuf* packet, const HeaderPlaces& at) noexcept;

  Stage* next_ = nullptr;
  std::vector<Kind> kinds_;  // by stream index
  std::vector<Face> faces_;  // likewise
  DropBin bin_;
};

}  // namespace castgate
