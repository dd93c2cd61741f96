// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/srtp/inbound_indexes.h"

#include <algorithm>
#include <bit>

#include "dataplane/base/srtp/srtp_index.h"

namespace castgate {
namespace {

// 0; 0 1; 0 1 2 3; ... 0 to 7: whatever interferes, each number is tried again, the lower the more
// often, and N is reached within 3 N.
constexpr std::uint64_t sweep(std::uint32_t attempt) noexcept {
  return attempt + 1 - std::bit_floor(attempt + 1);
}

constexpr std::uint64_t index_of(std::uint64_t turns, std::uint16_t sequence) noexcept {
  return turns << 16 | sequence;
}

// Not counted before the first has failed: what came with it is likely as genuine as it is.
std::uint32_t next_try(std::uint32_t& tries) noexcept {
  return tries == 0 ? 0 : tries++;
}

}  // namespace

InboundIndexes::InboundIndexes(unsigned window, std::uint32_t roll_over)
    : window_(window), words_(kSources * ReplayWindow::words_for(window)), roll_over_(roll_over) {
  const std::size_t each = ReplayWindow::words_for(window);
  for (std::size_t i = 0; i < kSources; ++i) {
    const std::span<std::uint64_t> words(&words_[i * each], each);
    sources_.push_back({.last = {}, .seen = ReplayWindow(words, window)});
  }
}

bool InboundIndexes::guess(std::uint32_t ssrc, std::uint16_t sequence, Instant now,
                           std::uint64_t& index) noexcept {
  Source* source = find(ssrc);
  if (source == nullptr) {
    index = first_of(ssrc, sequence);
    return index < kSrtpIndexes;
  }
  index = nearest_srtp_index(source->seen.next() - 1, sequence);
  const bool fits = index < kSrtpIndexes && source->seen.is_new(index);
  if (!source->is_lost(now)) return fits;
  if (!fits && source->tries == 0) source->tries = 1;
  const std::uint32_t attempt = next_try(source->tries);
  if (fits && attempt % 2 == 0) return true;
  index += index_of(1 + sweep(attempt / 2), 0);
  return index < kSrtpIndexes;
}

// Of an SSRC that is not known: where it is expected, and in turn any roll-over counter.
std::uint64_t InboundIndexes::first_of(std::uint32_t ssrc, std::uint16_t sequence) noexcept {
  const std::uint32_t attempt = next_try(tries_);
  if (attempt % 2 != 0) return index_of(sweep(attempt / 2), sequence);
  if (near_ != 0 && ssrc == near_ssrc_) return nearest_srtp_index(near_, sequence);
  return index_of(newest().seen.next() == 0 ? roll_over_ : 0, sequence);
}

bool InboundIndexes::commit(std::uint32_t ssrc, std::uint64_t index, Instant now) noexcept {
  Source* source = find(ssrc);
  if (source == nullptr) {
    tries_ = 0;
    source = &place_for(ssrc);
  }
  if (!source->seen.is_new(index)) return false;
  source->seen.commit(index);
  source->tries = 0;
  source->last = now;
  return true;
}

void InboundIndexes::miss(std::uint32_t ssrc) noexcept {
  Source* source = find(ssrc);
  std::uint32_t& tries = source != nullptr ? source->tries : tries_;
  if (tries == 0) tries = 1;
}

InboundIndexes::Source* InboundIndexes::find(std::uint32_t ssrc) noexcept {
  for (Source& source : sources_) {
    if (source.ssrc == ssrc && source.seen.next() != 0) return &source;
  }
  return nullptr;
}

// Empty, whoever had it.
InboundIndexes::Source& InboundIndexes::place_for(std::uint32_t ssrc) noexcept {
  Source& source = *std::ranges::min_element(sources_, {}, [](const Source& one) {
    return one.seen.next() == 0 ? Instant{INT64_MIN} : one.last;
  });
  const std::span<std::uint64_t> words = words_of(source);
  std::ranges::fill(words, 0);
  source = {.ssrc = ssrc, .last = {}, .seen = ReplayWindow(words, window_)};
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
