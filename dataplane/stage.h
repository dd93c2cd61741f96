// SPDX-License-Identifier: Apache-2.0
// What a stage is, how packets leave it, and what classify tells the stages after it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include <rte_mbuf.h>

#include "dataplane/base/check.h"
#include "dataplane/base/counter.h"
#include "dataplane/base/instant.h"
#include "dataplane/capture/tap.h"
#include "dataplane/contract/drop_reason.h"

namespace castgate {

inline constexpr unsigned kBurst = 32;

class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  // Each packet in `burst`, at most kBurst, now belongs to this stage, which emits, drops or keeps
  // it.
  virtual void process(std::span<rte_mbuf* const> burst, Instant now) noexcept = 0;

  // Called when `next_deadline()` has come: time-outs need no thread of their own.
  virtual void tick(Instant /*now*/) noexcept {}
  virtual Instant next_deadline() const noexcept { return kNever; }

  // Told between two packets of a stream that is restamped, by the stage before this one.
  // What follows is numbered anew; the first of it had arrived at `came`.
  virtual void begin_epoch(unsigned /*stream*/, Instant /*came*/) noexcept {}
  // So many positions before the next packet will not come.
  virtual void skip(unsigned /*stream*/, std::uint64_t /*positions*/) noexcept {}
};

// The way on. Gathers packets so that the next stage costs one virtual call per burst.
class Outlet {
 public:
  explicit Outlet(Stage& next) : next_(&next) {}

  // Between two flushes, with nothing in it.
  void set_next(Stage& next) noexcept { next_ = &next; }

  void emit(rte_mbuf* packet, Instant now) noexcept {
    pending_[count_++] = packet;
    if (count_ == kBurst) flush(now);
  }

  void flush(Instant now) noexcept {
    if (count_ == 0) return;
    next_->process({pending_.data(), std::exchange(count_, 0)}, now);
  }

  // For a loop that knows that no more than kBurst packets come between two flushes: it writes at
  // the end itself and then says where the end is.
  rte_mbuf** end() noexcept { return pending_.data() + count_; }
  void filled_to(rte_mbuf* const* end) noexcept {
    count_ = static_cast<unsigned>(end - pending_.data());
  }

 private:
  Stage* next_;
  unsigned count_ = 0;
  std::array<rte_mbuf*, kBurst> pending_{};
};

// Left by classify in mbuf->hash, in the mbuf's first line; the packet is one segment then and ends
// where its UDP payload ends. Of ESP, which has no UDP header, udp_at is 8 before its SPI, as if it
// had one.
struct PacketTag {
  static constexpr std::uint8_t kIp6 = 1;
  static constexpr std::uint8_t kCorrupt = 2;  // its UDP checksum is wrong
  // The second half of most tags: untagged IPv4 without options.
  static constexpr std::uint32_t kPlain = 34 | 14u << 16;

  std::uint16_t stream;
  std::uint8_t leg;
  union {
    std::uint8_t worker;     // as the flow table has it; until its own worker has the packet
    std::uint8_t rendition;  // from protect on: which of the stream's renditions_of()
  };
  std::uint16_t udp_at;  // bytes from the start of the frame
  std::uint8_t l3_at;
  std::uint8_t flags;
};
static_assert(sizeof(PacketTag) == sizeof(rte_mbuf::hash));

static_assert(std::endian::native == std::endian::little);

inline bool is_plain(const PacketTag& tag) noexcept {
  return std::bit_cast<std::uint64_t>(tag) >> 32 == PacketTag::kPlain;
}

inline PacketTag tag_of(const rte_mbuf* packet) noexcept {
  PacketTag tag;
  std::memcpy(&tag, &packet->hash, sizeof tag);
  return tag;
}

inline void set_tag(rte_mbuf* packet, const PacketTag& tag) noexcept {
  std::memcpy(&packet->hash, &tag, sizeof tag);
}

// Written by one worker, read by anyone.
using DropCounters = std::array<Counter, kDropReasons>;

// Frees packets at once where all are plain: one owner, one segment, one pool.
void free_packets(std::span<rte_mbuf* const> packets) noexcept;

// The only way out that is not on: frees in bulk, counts by reason.
class DropBin {
 public:
  void drop(rte_mbuf* packet, DropReason reason) noexcept {
    counters_[static_cast<std::size_t>(reason)].add();
    pending_[count_++] = packet;
    if (count_ == flush_at_) [[unlikely]]
      full(reason);
  }
  // A packet that should have been made and was not.
  void note(DropReason reason) noexcept { counters_[static_cast<std::size_t>(reason)].add(); }
  void flush() noexcept { free_packets({pending_.data(), std::exchange(count_, 0)}); }

  // Shows each packet from here on to `tap`, which may be null, and frees it at once. `tagged`:
  // classify has left its tag on them.
  void show_to(Tap* tap, bool tagged) noexcept {
    flush();
    tap_ = tap;
    tagged_ = tagged;
    flush_at_ = tap == nullptr ? kBurst : 1;
  }

  const DropCounters& counters() const noexcept { return counters_; }
  std::uint64_t dropped(DropReason reason) const noexcept {
    return counters_[static_cast<std::size_t>(reason)].get();
  }

 private:
  [[gnu::noinline]] void full(DropReason last) noexcept;

  unsigned count_ = 0;
  unsigned flush_at_ = kBurst;
  std::array<rte_mbuf*, kBurst> pending_{};
  DropCounters counters_;
  Tap* tap_ = nullptr;
  bool tagged_ = false;
};

}  // namespace castgate
