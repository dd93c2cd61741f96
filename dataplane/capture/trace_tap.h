// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "dataplane/capture/tap.h"
#include "dataplane/contract/spec.h"
#include "dataplane/contract/trace.h"

namespace castgate {

// Follows one packet of a replay, and of all others what tells why it went that way. For one thread
// and one packet after the other; keeps a note of every packet.
class TraceTap final : public Tap {
 public:
  struct Ways {
    std::function<bool(const rte_mbuf*, Located&)> locate;  // of a packet of a stream
    std::function<void()> flush;                            // what was passed on leaves
  };

  TraceTap(const Spec& spec, const TraceRequest& request, const std::vector<Event>& events,
           Ways ways);

  // `packet` is about to be received by `port`.
  void arrive(unsigned port, const rte_mbuf* packet, Instant now);
  // A deadline, or the end, is about to be served.
  void no_arrival(bool at_end) noexcept;

  void see(const Sighting& where, std::span<rte_mbuf* const> packets) noexcept override;
  bool singly() const noexcept override { return true; }
  void passed_on() noexcept override;
  void copied(const rte_mbuf* from, const rte_mbuf* to) noexcept override;

  const PacketTrace& finish();

 private:
  // By stream, epoch and raw position.
  using Key = std::tuple<std::uint16_t, std::uint32_t, std::uint64_t>;
  struct Note {
    TraceOther about;
    std::uint16_t stream = 0;
    bool located = false;
    bool dropped = false;
  };

  void see_one(const Sighting& where, const rte_mbuf* packet);
  void classify(const rte_mbuf* packet);
  void release(const rte_mbuf* packet);
  void release_watched(const Note& note);
  void drop(const rte_mbuf* packet, DropReason reason);
  void find_rivals();
  bool covers(const Note& other, const Note& mine) const;
  bool is_watched(std::size_t note) const noexcept { return note == watched_; }

  static constexpr std::size_t kNone = SIZE_MAX;

  const Spec& spec_;
  TraceRequest request_;
  const std::vector<Event>& events_;
  Ways ways_;
  PacketTrace trace_;
  std::vector<std::uint64_t> numbers_;  // of packets, by port
  std::vector<Note> notes_;
  std::unordered_map<const rte_mbuf*, std::size_t> note_of_;  // packets that are on their way
  std::multimap<Key, std::size_t> at_position_;
  std::uint64_t moment_ = 0;          // arrivals, deadlines and the end are counted
  std::vector<std::uint64_t> begun_;  // by stream: the moment in which the first packet left, or 0
  std::size_t winner_ = kNone;
  std::size_t watched_ = kNone;
  std::size_t arriving_ = kNone;
  std::size_t passing_ = kNone;
  std::size_t events_before_ = 0;
  bool at_end_ = false;
};

}  // namespace castgate
