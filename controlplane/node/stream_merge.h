// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "controlplane/node/node_packet.h"
#include "controlplane/node/packet_sink.h"
#include "dataplane/base/failover/merge_outlet.h"
#include "dataplane/base/failover/merge_window.h"
#include "dataplane/base/fingerprint/fingerprint.h"
#include "dataplane/base/fingerprint/fingerprint_merge.h"
#include "dataplane/contract/spec.h"

namespace castgate {

struct MergeSums {
  struct Leg {
    std::uint64_t packets = 0;
    std::uint64_t lost = 0;
    std::uint64_t late = 0;
    bool live = false;
  };
  std::uint64_t packets = 0;  // that left, and their bytes
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;        // that no relay brought in time
  std::uint64_t duplicates = 0;  // another copy had left
  std::uint64_t late = 0;
  std::uint64_t malformed = 0;
  std::uint64_t other = 0;  // numbers that were not believed
  std::array<Leg, 8> legs{};
};

// The appliance's merge over packets of ordinary memory: what relays bring, one leg each, leaves in
// order and once. With one relay it still counts, sorts and removes duplicates.
class StreamMerge final : private MergeOutlet {
 public:
  struct Config {
    SequenceFormat format = SequenceFormat::Rtp;
    unsigned legs = 1;
    Nanoseconds max_skew{50'000'000};
    bool media = false;               // of RTP only what it carries leaves
    std::uint64_t most = UINT64_MAX;  // packets that leave; the rest is let go
    std::uint64_t seed = 0;           // of fingerprints: unknown to whoever sends
  };
  // How many packets one holds at most.
  static std::uint64_t held_most(SequenceFormat format, Nanoseconds max_skew);

  StreamMerge(const Config& config, PacketStore& store, PacketSink& sink);
  ~StreamMerge() override;

  // Takes the packet.
  void offer(NodePacket* packet, unsigned leg, Instant now) noexcept;
  void tick(Instant now) noexcept;  // where next_deadline() has come
  Instant next_deadline() const noexcept { return armed_; }
  void drain(Instant now) noexcept;
  void settle() noexcept { flush(); }  // after a batch: what may leave has left

  MergeSums sums() const noexcept;
  std::uint64_t packets_out() const noexcept { return packets_; }
  bool complete() const noexcept { return packets_ >= config_.most; }

 private:
  bool locate(const NodePacket& packet, Located& where) const noexcept;
  template <class Merge>
  void rearm(Merge& merge) noexcept;
  template <class Merge>
  void add_sums(const Merge& merge, MergeSums& sums) const noexcept;
  PacketSink::Payload leaving(const NodePacket& packet) noexcept;

  void pass_on(std::span<void* const> packets) noexcept override;
  void free(std::span<void* const> packets) noexcept override;
  void gap(std::uint32_t, std::uint64_t, std::uint64_t, GapCause, Instant) noexcept override {}
  void epoch_changed(std::uint32_t, std::uint32_t, Instant) noexcept override {}
  void leg_changed(std::uint32_t, unsigned, LegChange, Instant) noexcept override {}
  std::uint64_t content(std::uint32_t tag, void* packet) noexcept override;
  void cut(std::uint32_t tag, void* packet, unsigned skip, unsigned count) noexcept override;
  void* copy(std::uint32_t tag, void* packet) noexcept override;

  Config config_;
  PacketStore& store_;
  PacketSink& sink_;
  std::unique_ptr<MergeWindow> window_;           // null where packets have no numbers
  std::unique_ptr<FingerprintMerge> unnumbered_;  // else null
  std::unique_ptr<Fingerprint> fingerprint_;      // with it
  bool ranges_ = false;
  std::uint16_t most_positions_ = 1;
  Instant armed_ = kNever;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t malformed_ = 0;
};

}  // namespace castgate
