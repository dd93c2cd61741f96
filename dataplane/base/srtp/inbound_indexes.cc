// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/srtp/inbound_indexes.h"

#include <algorithm>

#include "dataplane/base/srtp/srtp_index.h"

namespace castgate {
namespace {

constexpr std::uint64_t index_of(std::uint64_t turns, std::uint16_t sequence) noexcept {
  return turns << 16 | sequence;
}

}  // namespace

InboundIndexes::InboundIndexes(unsigned window, std::uint32_t roll_over)
    : window_(window), words_(kSources * ReplayWindow::words_for(window)), roll_over_(roll_over) {
  const std::size_t each = ReplayWindow::words_for(window);
  for (std::size_t i = 0; i < kSources; ++i) {
    const std::span<std::uint64_t> words(&words_[i * each], each);
    sources_.push_back({.search = {}, .last = {}, .seen = ReplayWindow(words, window)});
  }
}

InboundIndexes::Guess InboundIndexes::guess(std::uint32_t ssrc, std::uint16_t sequence,
                                            Instant now) const noexcept {
  const Source* source = find(ssrc);
  if (source == nullptr) {
    const std::uint64_t index = first_of(ssrc, sequence);
    return {.index = index, .is_new = index < kSrtpIndexes, .is_sure = false};
  }
  const std::uint64_t index = nearest_srtp_index(source->seen.next() - 1, sequence);
  return {.index = index,
          .is_new = index < kSrtpIndexes && source->seen.is_new(index),
          .is_sure = now - source->last < kLost};
}

// Of an SSRC that is not known: where it is expected.
std::uint64_t InboundIndexes::first_of(std::uint32_t ssrc, std::uint16_t sequence) const noexcept {
  if (near_ != 0 && ssrc == near_ssrc_) return nearest_srtp_index(near_, sequence);
  return index_of(newest().seen.next() == 0 ? roll_over_ : 0, sequence);
}

// Further on, for one that was not heard; and, of one that is not known where others would expect
// it, from 0 on: it may have begun anew.
std::array<std::uint64_t, 3> InboundIndexes::others(std::uint32_t ssrc, std::uint64_t guessed,
                                                    std::uint32_t draw) noexcept {
  const auto after = [&](std::uint64_t turns) { return guessed + index_of(1 + turns, 0); };
  const std::uint64_t drawn = after(TurnSearch::drawn(draw));
  if (Source* source = known(ssrc)) return {after(source->search.next()), drawn, kNone};
  const std::uint64_t turns = search_.next();
  const bool is_first = guessed >> 16 == 0;
  return {after(turns), drawn,
          is_first ? kNone : index_of(turns, static_cast<std::uint16_t>(guessed & 0xffff))};
}

bool InboundIndexes::commit(std::uint32_t ssrc, std::uint64_t index, Instant now) noexcept {
  Source* source = known(ssrc);
  if (source == nullptr) {
    search_ = {};
    source = &place_for(ssrc);
  }
  if (!source->seen.is_new(index)) return false;
  source->seen.commit(index);
  source->search = {};
  source->last = now;
  return true;
}

const InboundIndexes::Source* InboundIndexes::find(std::uint32_t ssrc) const noexcept {
  for (const Source& source : sources_) {
    if (source.ssrc == ssrc && source.seen.next() != 0) return &source;
  }
  return nullptr;
}

InboundIndexes::Source* InboundIndexes::known(std::uint32_t ssrc) noexcept {
  const Source* source = find(ssrc);
  return source == nullptr ? nullptr
                           : &sources_[static_cast<std::size_t>(source - sources_.data())];
}

// Empty, whoever had it.
InboundIndexes::Source& InboundIndexes::place_for(std::uint32_t ssrc) noexcept {
  Source& source = *std::ranges::min_element(sources_, {}, [](const Source& one) {
    return one.seen.next() == 0 ? Instant{INT64_MIN} : one.last;
  });
  const std::span<std::uint64_t> words = words_of(source);
  std::ranges::fill(words, 0);
  source = {.ssrc = ssrc, .search = {}, .last = {}, .seen = ReplayWindow(words, window_)};
  return source;
}

const InboundIndexes::Source& InboundIndexes::newest() const noexcept {
  return *std::ranges::max_element(sources_, {}, [](const Source& one) {
    return one.seen.next() == 0 ? Instant{INT64_MIN} : one.last;
  });
}

std::span<std::uint64_t> InboundIndexes::words_of(const Source& source) noexcept {
  const std::size_t each = ReplayWindow::words_for(window_);
  const auto place = static_cast<std::size_t>(&source - sources_.data());
  return {&words_[place * each], each};
}

void InboundIndexes::inherit(const InboundIndexes& old) noexcept {
  const bool same_size = window_ == old.window_;
  if (same_size) std::ranges::copy(old.words_, words_.begin());
  for (std::size_t i = 0; i < kSources; ++i) {
    const Source& from = old.sources_[i];
    Source& source = sources_[i];
    source.ssrc = from.ssrc;
    source.last = from.last;
    if (same_size) {
      source.seen = from.seen.over(words_of(source));
      continue;
    }
    source.seen.go_on_from(from.seen);
  }
  near_ssrc_ = old.near_ssrc_;
  near_ = old.near_;
}

void InboundIndexes::go_on_after(const InboundIndexes& old) noexcept {
  const Source& from = old.newest();
  if (from.seen.next() == 0) return;
  near_ssrc_ = from.ssrc;
  near_ = from.seen.next() - 1;
}

}  // namespace castgate
