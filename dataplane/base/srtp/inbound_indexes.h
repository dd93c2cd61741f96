// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/instant.h"
#include "dataplane/base/protect/replay_window.h"

namespace castgate {

// The indexes of what comes sealed under one key, SSRC by SSRC: of which a packet tells only the
// lower 16 bits (RFC 3711 3.3.1), and which came before. What is not known to be genuine changes
// nothing but the roll-over counter that is tried next.
class InboundIndexes {
 public:
  // SSRCs known at a time; a further one takes the place of the one that was silent longest.
  static constexpr unsigned kSources = 4;
  // A source without a genuine packet for so long may have counted on beyond our guess.
  static constexpr Nanoseconds kLost{100'000'000};

  // `window`: of each SSRC, as ReplayWindow takes it. `roll_over`: where the first SSRC is.
  InboundIndexes(unsigned window, std::uint32_t roll_over);
  InboundIndexes(const InboundIndexes&) = delete;  // its windows' words are its own
  InboundIndexes& operator=(const InboundIndexes&) = delete;
  InboundIndexes(InboundIndexes&&) noexcept = default;
  InboundIndexes& operator=(InboundIndexes&&) noexcept = default;
  ~InboundIndexes() = default;

  // Under which index to open a packet. False where it was opened before, or is too old to be
  // known. Packets of a source that is new or lost are tried in turn under the likeliest index and
  // under others: a stream that is joined late is found after a ten thousandth of its age.
  bool guess(std::uint32_t ssrc, std::uint16_t sequence, Instant now,
             std::uint64_t& index) noexcept;
  // It opened. False, and nothing changes, where another with its index did before.
  bool commit(std::uint32_t ssrc, std::uint64_t index, Instant now) noexcept;
  // It did not.
  void miss(std::uint32_t ssrc) noexcept;

  // Goes on where `old` is, under the same key.
  void inherit(const InboundIndexes& old) noexcept;
  // Under another key: nothing was opened yet, but its SSRC goes on counting.
  void go_on_after(const InboundIndexes& old) noexcept;

 private:
  struct Source {
    std::uint32_t ssrc = 0;
    std::uint32_t tries = 0;  // since it was last genuine
    Instant last;
    ReplayWindow seen;  // empty: the place is free

    bool is_lost(Instant now) const noexcept { return now - last >= kLost; }
  };

  Source* find(std::uint32_t ssrc) noexcept;
  Source& place_for(std::uint32_t ssrc) noexcept;
  const Source& newest() const noexcept;
  std::uint64_t first_of(std::uint32_t ssrc, std::uint16_t sequence) noexcept;
  std::span<std::uint64_t> words_of(const Source& source) noexcept;

  unsigned window_;
  std::vector<std::uint64_t> words_;
  std::vector<Source> sources_;
  std::uint32_t tries_ = 0;      // of SSRCs that are not known
  std::uint32_t near_ssrc_ = 0;  // this one's first index is near `near_`
  std::uint64_t near_ = 0;
  std::uint32_t roll_over_;  // else this is its roll-over counter
};

}  // namespace castgate
