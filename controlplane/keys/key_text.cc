// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <optional>

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

}  // namespace

Result<SharedKey> parse_key(std::string_view text, std::size_t length) {
  KeyScratch digits(text.size());
  std::size_t count = 0;
  bool comment = false;
  for (const char c : text) {
    if (c == '\n') comment = false;
    if (c == '#') comment = true;
    if (!comment && std::isspace(static_cast<unsigned char>(c)) == 0) digits.data()[count++] = c;
  }
  if (count == 0) return fail("holds no key");
  std::string_view told(digits.data(), count);
  KeyScratch bytes(count);
  const std::span<char> room(bytes.data(), bytes.size());
  std::optional<std::size_t> made;
  if (count == 2 * length) {
    std::ranges::transform(told, digits.data(), [](char c) { return std::tolower(c); });
    made = decode(told, "0123456789abcdef", 4, room);
  } else {
    while (told.ends_with('=')) told.remove_suffix(1);
    constexpr std::string_view kBase64 =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    made = decode(told, kBase64, 6, room);
  }
  if (!made || *made != length) {
    return fail(
        fmt::format("is no key and salt of {} bytes together: {} hexadecimal digits, or "
                    "{} characters of base64; openssl rand -hex {} makes one",
                    length, 2 * length, (length + 2) / 3 * 4, length));
  }
  return share_key(std::as_bytes(std::span<const char>(bytes.data(), length)));
}

}  // namespace castgate
