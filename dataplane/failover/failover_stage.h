// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/base/deadline_heap.h"
#include "dataplane/base/failover/merge_window.h"
#include "dataplane/base/fingerprint/fingerprint.h"
#include "dataplane/base/fingerprint/fingerprint_merge.h"
#include "dataplane/base/verdict/stream_verdict.h"
#include "dataplane/contract/commands.h"
#include "dataplane/contract/snapshot.h"
#include "dataplane/contract/spec.h"
#include "dataplane/event_sink.h"
#include "dataplane/stage.h"

namespace castgate {

// Merges the legs of every stream of its worker: one window per stream (base/failover). Expects the
// tag of classify; passes on the same packets, each position once.
class FailoverStage final : public Stage, private MergeOutlet {
 public:
  struct Limits {
    std::uint64_t held = UINT64_MAX;     // packets that all windows together may keep
    std::uint64_t fingerprint_seed = 0;  // unknown to whoever sends: another at each start
  };
  // `mine[s]`: does this worker serve stream s.
  FailoverStage(const Spec& spec, const std::vector<bool>& mine, const Limits& limits, Stage& next,
                EventSink& events);
  ~FailoverStage() override;

  void process(std::span<rte_mbuf* const> burst, Instant now) noexcept override;
  void tick(Instant now) noexcept override;
  Instant next_deadline() const noexcept override { return deadlines_.next(); }

  // An operator's order; of a stream that is not ours, nothing happens.
  void command(const LegCommand& command, Instant now) noexcept;

  // Null: to nobody.
  void show_to(Tap* tap) noexcept;
  // Of a packet as classify passes it on. False where it carries no position.
  bool locate(const rte_mbuf* packet, Located& where) const noexcept;

  // Lets go what is kept and settles the counters: the end, or a stream's.
  void drain(Instant now) noexcept;

  std::uint64_t held() const noexcept { return MergeOutlet::held(); }
  void count_drops(DropCounts& counts) const noexcept;
  // Packets made of parts of others.
  std::uint64_t created() const noexcept { return created_.get(); }
  // Copies the counters of stream `s`; false when another worker serves it.
  bool snapshot(std::size_t s, StreamSnapshot& into) const;

 private:
  // What was said of a stream's packets before its window saw them.
  struct Judgement {
    struct Leg {
      std::uint64_t malformed = 0;
      std::uint64_t payload_type = 0;
      std::uint64_t not_ts = 0;
      std::uint64_t degraded = 0;
      std::uint64_t corrupt = 0;
      std::uint64_t locked_out = 0;  // of feeds without numbers
    };
    std::array<Leg, kMaxLegs> legs{};
    std::uint8_t refused = 0;  // feeds without numbers: a bit for each leg that is locked out
    std::unique_ptr<StreamVerdict> verdict;  // null where nothing is asked for
  };

  // What every packet looks up, in a row of its own.
  struct Lane {
    MergeWindow* window = nullptr;  // null where not ours, or without numbers
    SequenceFormat format = SequenceFormat::Rtp;
    bool plain = true;       // one position each, all copies alike, nothing to judge
    bool ranges = false;     // packets of several positions
    bool restamped = false;  // the next stage wants to know of gaps and epochs
    std::uint16_t most = 1;  // of them; more could not be kept
  };
  bool locate(const PacketTag& tag, const std::byte* payload, std::size_t length,
              Located& where) const noexcept;

  void offer(rte_mbuf* packet, Instant now) noexcept;
  void offer_judged(const Arrival& arrival, const Located& where, const PacketTag& tag) noexcept;
  // Counts a packet for its leg that the window does not see.
  void refuse(rte_mbuf* packet, const PacketTag& tag, DropReason why) noexcept;
  void offer_unnumbered(rte_mbuf* packet, const PacketTag& tag, Instant now) noexcept;
  template <class Merge>
  void rearm(std::uint32_t stream, Merge& merge) noexcept {
    if (merge.wants_arming()) deadlines_.set(stream, merge.arm());
  }
  std::uint32_t epoch_of(std::uint32_t stream) const noexcept;

  void pass_on(std::span<void* const> packets) noexcept override;
  void free(std::span<void* const> packets) noexcept override;
  void free_one(void* packet, MergeDrop reason) noexcept override;
  void pass_on_seen(std::span<rte_mbuf* const> packets) noexcept;
  void gap(std::uint32_t tag, std::uint64_t from, std::uint64_t to, GapCause cause,
           Instant now) noexcept override;
  void epoch_changed(std::uint32_t tag, std::uint32_t epoch, Instant now) noexcept override;
  void leg_changed(std::uint32_t tag, unsigned leg, LegChange change,
                   Instant now) noexcept override;
  std::uint64_t content(std::uint32_t tag, void* packet) noexcept override;
  void cut(std::uint32_t tag, void* packet, unsigned skip, unsigned count) noexcept override;
  void* copy(std::uint32_t tag, void* packet) noexcept override;

  Stage& next_;
  Tap* tap_ = nullptr;
  EventSink& events_;
  Instant now_;
  // By stream index; none where not ours. In one piece, and an odd number of cache lines each, so
  // that the first lines do not compete for the same few sets.
  struct Berth {
    std::optional<MergeWindow> window;
    alignas(64) std::array<std::byte, 64> odd{};
  };
  static_assert(sizeof(Berth) / 64 % 2 == 1);
  std::vector<Berth> windows_;
  std::vector<Judgement> judged_;                              // by stream index
  std::vector<Lane> lanes_;                                    // by stream index
  std::vector<std::unique_ptr<FingerprintMerge>> unnumbered_;  // by stream index; others null
  std::unique_ptr<Fingerprint> fingerprint_;                   // null where no stream asks for it
  const Spec& spec_;
  Counter created_;
  DeadlineHeap deadlines_;
  DropBin bin_;
};

}  // namespace castgate
