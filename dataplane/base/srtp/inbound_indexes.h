// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/instant.h"
#include "dataplane/base/protect/replay_window.h"
#include "dataplane/base/protect/turn_search.h"

namespace castgate {

// The indexes of what comes sealed, SSRC by SSRC: of which a packet tells only the lower 16 bits
// (RFC 3711 3.3.1), and which came before. What is not known to be genuine changes nothing but what
// is tried next.
class InboundIndexes {
 public:
  // SSRCs known at a time; a further one takes the place of the one that was silent longest.
  static constexpr unsigned kSources = 4;
  // A source without a genuine packet for so long may have counted on beyond our guess.
  static constexpr Nanoseconds kLost{100'000'000};
  static constexpr std::uint64_t kNone = UINT64_MAX;

  // `window`: of each SSRC, as ReplayWindow takes it. `roll_over`: where the first SSRC is; further
  // ones are at 0.
  InboundIndexes(unsigned window, std::uint32_t roll_over);
  InboundIndexes(const InboundIndexes&) = delete;  // its windows' words are its own
  InboundIndexes& operator=(const InboundIndexes&) = delete;
  InboundIndexes(InboundIndexes&&) noexcept = default;
  InboundIndexes& operator=(InboundIndexes&&) noexcept = default;
  ~InboundIndexes() = default;

  // Under which index a packet was sealed.
  struct Guess {
    std::uint64_t index = 0;  // the likeliest
    bool is_new = false;      // it is one, was not opened before and is not too old to be known
    bool is_sure = false;     // the source was heard just now: no other one is worth a try
  };
  Guess guess(std::uint32_t ssrc, std::uint16_t sequence, Instant now) const noexcept;

  // What else to try of a packet of which the guess was not sure and does not open: other ones with
  // each packet, so that a stream that is N turns further than expected is found within 3 N + 1
  // packets, and however many others are forged meanwhile after about 17 N of its own. `draw`: 32
  // bits of the packet's tag. kNone, or past the last index, where there is nothing to try.
  std::array<std::uint64_t, 3> others(std::uint32_t ssrc, std::uint64_t guessed,
                                      std::uint32_t draw) noexcept;

  // It opened. False, and nothing changes, where another with its index did before.
  bool commit(std::uint32_t ssrc, std::uint64_t index, Instant now) noexcept;

  // Goes on where `old` is, under the same key.
  void inherit(const InboundIndexes& old) noexcept;
  // Under another key: nothing was opened yet, but its SSRC goes on counting.
  void go_on_after(const InboundIndexes& old) noexcept;

 private:
  struct Source {
    std::uint32_t ssrc = 0;
    TurnSearch search;  // since it was last genuine
    Instant last;
    ReplayWindow seen;  // empty: the place is free
  };

  const Source* find(std::uint32_t ssrc) const noexcept;
  Source* known(std::uint32_t ssrc) noexcept;
  Source& place_for(std::uint32_t ssrc) noexcept;
  const Source& newest() const noexcept;
  std::uint64_t first_of(std::uint32_t ssrc, std::uint16_t sequence) const noexcept;
  std::span<std::uint64_t> words_of(const Source& source) noexcept;

  unsigned window_;
  std::vector<std::uint64_t> words_;
  std::vector<Source> sources_;
  TurnSearch search_;            // of SSRCs that are not known
  std::uint32_t near_ssrc_ = 0;  // this one's first index is near `near_`
  std::uint64_t near_ = 0;
  std::uint32_t roll_over_;  // else this is its roll-over counter
};

}  // namespace castgate
