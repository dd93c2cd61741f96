// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <span>

#include "controlplane/keys/key_file.h"
#include "controlplane/keys/key_scratch.h"

namespace castgate {
namespace {

int digit_of(char c, std::string_view digits) noexcept {
  const auto at = digits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Digits of `bits` bits each; how many bytes they make, or none where one is no digit.
std::optional<std::size_t> decode(std::string_view text, std::string_view digits, unsigned bits,
                                  std::span<char> into) noexcept {
  unsigned held = 0;
  unsigned count = 0;
  std::size_t made = 0;
  for (const char c : text) {
    const int digit = digit_of(c, digits);
    if (digit < 0 || made == into.size()) return std::nullopt;
    held = held << bits | static_cast<unsigned>(digit);
    count += bits;
    if (count < 8) continue;
    count -= 8;
    into[made++] = static_cast<char>(held >> count & 0xff);
    held &= (1u << count) - 1;
  }
  return count == 0 || (held == 0 && count < bits) ? std::optional(made) : std::nullopt;
}

// One line's, without blanks.
Result<SharedKey> parse_one(std::span<char> told, std::size_t length) {
  std::string_view text(told.data(), told.size());
  KeyScratch bytes(text.size());
  const std::span<char> room(bytes.data(), bytes.size());
  std::optional<std::size_t> made;
  if (text.size() == 2 * length) {
    std::ranges::transform(told, told.begin(), [](char c) { return std::tolower(c); });
    made = decode(text, "0123456789abcdef", 4, room);
  } else {
    while (text.ends_with('=')) text.remove_suffix(1);
    constexpr std::string_view kBase64 =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    made = decode(text, kBase64, 6, room);
  }
  if (!made || *made != length) {
    return fail(
        fmt::format("is no key and salt of {} bytes together: {} hexadecimal digits, or "
                    "{} characters of base64; openssl rand -hex {} makes one",
                    length, 2 * length, (length + 2) / 3 * 4, length));
  }
  return share_key(std::as_bytes(std::span<const char>(bytes.data(), length)));
}

// SDES (RFC 4568 9.2) puts it before the base64.
std::span<char> without_inline(std::span<char> told) noexcept {
  constexpr std::string_view kInline = "inline:";
  const bool has = std::string_view(told.data(), told.size()).starts_with(kInline);
  return has ? told.subspan(kInline.size()) : told;
}

// What of a line is not for people, into `into`.
std::span<char> bare(std::string_view line, KeyScratch& into) noexcept {
  std::size_t count = 0;
  for (const char c : line.substr(0, line.find('#'))) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) into.data()[count++] = c;
  }
  return {into.data(), count};
}

// Takes the epoch from before the colon, where there is one.
Result<std::uint32_t> take_epoch(std::span<char>& told, std::uint32_t before) {
  told = without_inline(told);
  const std::string_view text(told.data(), told.size());
  if (text.contains('|'))
    return fail("has a lifetime or an MKI after |: those stand in the pipeline; leave them out");
  const auto colon = text.find(':');
  const std::uint64_t next = std::uint64_t{before} + 1;
  std::uint64_t epoch = next;
  if (colon != std::string_view::npos) {
    const auto [end, error] = std::from_chars(told.data(), told.data() + colon, epoch);
    if (error != std::errc() || end != told.data() + colon || colon > 10)
      return fail("what stands before a colon is an epoch: 1 or more");
    told = without_inline(told.subspan(colon + 1));
  }
  if (epoch < next) return fail("epochs ascend, from 1 on");
  if (epoch > 0xffffffff) return fail("epochs end at 4294967295");
  return static_cast<std::uint32_t>(epoch);
}

}  // namespace

Result<std::vector<EpochKey>> parse_keys(std::string_view text, std::size_t length) {
  std::vector<EpochKey> keys;
  KeyScratch scratch(text.size());
  unsigned line = 0;
  while (!text.empty()) {
    ++line;
    const auto end = std::min(text.find('\n'), text.size());
    std::span<char> told = bare(text.substr(0, end), scratch);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (told.empty()) continue;
    const auto epoch = take_epoch(told, keys.empty() ? 0 : keys.back().epoch);
    if (!epoch) return fail(fmt::format("line {}: {}", line, epoch.error().text));
    auto key = parse_one(told, length);
    if (!key) return fail(fmt::format("line {}: {}", line, key.error().text));
    const auto same = [&](const EpochKey& other) { return *other.key == **key; };
    if (std::ranges::any_of(keys, same))
      return fail(fmt::format("line {}: is an earlier line's key again", line));
    keys.push_back({.epoch = *epoch, .key = *std::move(key), .numbers = nullptr});
  }
  if (keys.empty()) return fail("holds no key");
  return keys;
}

std::optional<std::string> fault_of_keys(const std::vector<EpochKey>& keys,
                                         const KeyTeller& teller) {
  const std::uint32_t last = keys.back().epoch;
  if (teller.is_esp) {
    if (last - 1 <= 0xffffffff - teller.spi) return std::nullopt;
    return fmt::format("epoch {} has no SPI: they count from {:#x} on", last, teller.spi);
  }
  if (teller.mki_bytes == 0) {
    if (keys.size() == 1) return std::nullopt;
    return fmt::format("holds {} keys: without mki_bytes receivers cannot tell which one seals",
                       keys.size());
  }
  if (teller.mki_bytes >= 4 || last >> (8 * teller.mki_bytes) == 0) return std::nullopt;
  return fmt::format("epoch {} does not fit into an MKI of {} bytes", last, teller.mki_bytes);
}

}  // namespace castgate
