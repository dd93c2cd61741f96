// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/base/deadline_heap.h"
#include "dataplane/base/fingerprint/fingerprint.h"
#include "dataplane/contract/commands.h"
#include "dataplane/contract/snapshot.h"
#include "dataplane/contract/spec.h"
#include "dataplane/event_sink.h"
#include "dataplane/failover/failover_stream.h"
#include "dataplane/stage.h"

namespace castgate {

// Merges the legs of every stream of its worker: one window per stream (base/failover). Expects the
// tag of classify; passes on the same packets, each position once.
class FailoverStage final : public Stage, private MergeOutlet {
 public:
  struct Limits {
    std::uint64_t held = UINT64_MAX;     // packets that all windows together may keep
    std::uint64_t fingerprint_seed = 0;  // unknown to whoever sends: another at each start
    std::size_t streams = 0;             // most there will ever be, where more than in the spec
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

  // Lets go what is kept and settles the counters.
  void drain(Instant now) noexcept;

  // A stream that comes or is configured anew. Where there was one of this index it goes on, and
  // what it leaves behind is in `change` afterwards, to be freed elsewhere.
  struct Change {
    FailoverStream stream;
    Inherited from;
    bool keeps_verdict = false;
    std::unique_ptr<Fingerprint> fingerprint;  // made where `stream` asks for one
  };
  void install(std::uint32_t stream, Change& change, Instant now) noexcept;
  // Lets go what it keeps; packets of it must not come any more.
  void remove(std::uint32_t stream, FailoverStream& into, Instant now) noexcept;
  // May a packet with this tag be offered?
  bool knows(const PacketTag& tag) const noexcept {
    return tag.stream < streams_.size() && tag.leg < streams_[tag.stream].legs;
  }
  void set_next(Stage& next) noexcept { next_ = &next; }

  std::uint64_t held() const noexcept { return MergeOutlet::held(); }
  void count_drops(DropCounts& counts) const noexcept;
  // Packets made of parts of others.
  std::uint64_t created() const noexcept { return created_.get(); }
  // Copies the counters of stream `s`; false when another worker serves it.
  bool snapshot(std::size_t s, StreamSnapshot& into) const;

 private:
  bool locate(const PacketTag& tag, const std::byte* payload, std::size_t length,
              Located& where) const noexcept;

  void offer(rte_mbuf* packet, Instant now) noexcept;
  void offer_judged(const Arrival& arrival, const Located& where, const PacketTag& tag) noexcept;
  // failover_offset.cc
  bool speaks(std::uint32_t stream, unsigned leg) const noexcept;
  void offer_moved(Arrival arrival, Located where, const PacketTag& tag) noexcept;
  void tell_offsets(std::uint32_t stream, Instant now) noexcept;
  // What of two copies is to be equal.
  std::span<const std::byte> compared(std::uint32_t stream, const rte_mbuf* packet) const noexcept;
  void copy_offsets(const FailoverStream& stream, StreamSnapshot& into) const noexcept;
  // Counts a packet for its leg that the window does not see.
  void refuse(rte_mbuf* packet, const PacketTag& tag, DropReason why) noexcept;
  void drain(FailoverStream& stream, Instant now) noexcept;
  void go_on(FailoverStream& old, Change& change, Instant now) noexcept;
  static void settle_gone(const FailoverStream& stream, unsigned leg,
                          StreamJudgement::Gone& gone) noexcept;
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

  Stage* next_;
  Tap* tap_ = nullptr;
  EventSink& events_;
  Instant now_;
  std::vector<FailoverLane> lanes_;           // by stream index
  std::vector<FailoverStream> streams_;       // likewise; vacant where not ours
  std::unique_ptr<Fingerprint> fingerprint_;  // null where no stream asks for it
  Counter created_;
  DeadlineHeap deadlines_;
  DropBin bin_;
};

}  // namespace castgate
