// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/sequence/messages.h"

#include <bit>
#include <cstring>
#include <span>

#include "dataplane/base/big_endian.h"

namespace castgate {
namespace {

constexpr std::size_t kMoldHeader = 20;
constexpr std::size_t kCmeHeader = 12;
constexpr std::size_t kIexHeader = 40;
constexpr std::size_t kLength = 2;  // bytes in front of each message

static_assert(std::endian::native == std::endian::little);

template <class T>
T load_le(const std::byte* from) noexcept {
  return load_raw<T>(from);
}

template <class T>
void store_le(std::byte* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

std::size_t mold_length(const std::byte* message) noexcept {
  return kLength + load_be16(message);
}

std::size_t iex_length(const std::byte* message) noexcept {
  return kLength + load_le<std::uint16_t>(message);
}

struct Kept {
  std::size_t end = 0;      // of the payload; 0 where a message is not whole
  std::size_t skipped = 0;  // bytes before the first message that stays
};

// Moves messages [skip, skip + count) of those between `header` and the payload's end to the front.
template <std::size_t (*message_length)(const std::byte*) noexcept>
Kept keep_messages(std::span<std::byte> payload, std::size_t header, unsigned skip,
                   unsigned count) noexcept {
  std::size_t from = header;
  std::size_t to = header;
  for (unsigned i = 0; i < skip + count; ++i) {
    if (i == skip) from = to;
    if (to + kLength > payload.size()) return {};
    to += message_length(&payload[to]);
  }
  if (to > payload.size()) return {};
  std::memmove(&payload[header], payload.data() + from, to - from);
  return {header + to - from, from - header};
}

}  // namespace

bool locate_cme_mdp3(const std::byte* payload, std::size_t length, Located& where) noexcept {
  if (length < kCmeHeader) return false;
  where = {load_le<std::uint32_t>(payload), 0};
  return true;
}

bool locate_iex_tp(const std::byte* payload, std::size_t length, Located& where) noexcept {
  constexpr std::byte kVersion{1};
  if (length < kIexHeader || payload[0] != kVersion) return false;
  const auto count = load_le<std::uint16_t>(payload + 14);
  const std::size_t end = kIexHeader + load_le<std::uint16_t>(payload + 12);
  where = {load_le<std::uint64_t>(payload + 24), load_le<std::uint32_t>(payload + 8), count};
  return count != Located::kEnd && end <= length && kIexHeader + kLength * count <= end;
}

std::size_t cut_moldudp64(std::byte* payload, std::size_t length, unsigned skip,
                          unsigned count) noexcept {
  const Kept kept = keep_messages<mold_length>({payload, length}, kMoldHeader, skip, count);
  if (kept.end == 0) return 0;
  store_be<std::uint64_t>(payload + 10, load_be64(payload + 10) + skip);
  store_be16(payload + 18, static_cast<std::uint16_t>(count));
  return kept.end;
}

std::size_t cut_iex_tp(std::byte* payload, std::size_t length, unsigned skip,
                       unsigned count) noexcept {
  const std::size_t told = kIexHeader + load_le<std::uint16_t>(payload + 12);
  if (told > length) return 0;
  const Kept kept = keep_messages<iex_length>({payload, told}, kIexHeader, skip, count);
  if (kept.end == 0) return 0;
  store_le(payload + 12, static_cast<std::uint16_t>(kept.end - kIexHeader));
  store_le(payload + 14, static_cast<std::uint16_t>(count));
  store_le(payload + 16, load_le<std::uint64_t>(payload + 16) + kept.skipped);
  store_le(payload + 24, load_le<std::uint64_t>(payload + 24) + skip);
  return kept.end;
}

}  // namespace castgate
