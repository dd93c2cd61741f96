// SPDX-License-Identifier: Apache-2.0
#include "pipelines/values.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "dataplane/base/check.h"
#include "pipelines/complaints.h"
#include "pipelines/units.h"
#include "pipelines/yaml_text.h"

namespace castgate {
namespace {

bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

bool is_printable_ascii(char c) noexcept {
  return c > ' ' && c <= '~';
}

bool is_control_character(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

Result<std::uint64_t> unranged_amount(const std::string& text, const KeyInfo& key) {
  if (key.kind == KeyKind::Duration) return parse_quantity(text, kDurations);
  if (key.kind == KeyKind::Size) return parse_quantity(text, kSizes);
  if (key.kind == KeyKind::PacketRate) return parse_quantity(text, kPacketRates);
  if (key.kind == KeyKind::BitRate) return parse_quantity(text, kBitRates);
  if (key.kind == KeyKind::Frequency) return parse_quantity(text, kFrequencies);
  if (key.kind == KeyKind::Ssrc) return parse_identifier(text);
  if (key.kind == KeyKind::Share) return parse_quantity(text, kShares);
  CG_CHECK(key.kind == KeyKind::Number);
  return parse_number(text);
}

Decoded check_text(const std::string& text, KeyKind kind) {
  if (kind == KeyKind::Name && !is_name(text)) {
    return fail(shown(text) + ": a name is letters, digits, _ . and -");
  }
  if (kind == KeyKind::Device && !std::ranges::all_of(text, is_printable_ascii)) {
    return fail("a device is printable ASCII without blanks");
  }
  if (kind == KeyKind::Path &&
      (!text.starts_with('/') || std::ranges::any_of(text, is_control_character))) {
    return fail("expected an absolute path: /run/castgate");
  }
  if (kind == KeyKind::Text &&
      (std::ranges::any_of(text, is_control_character) || !is_utf8(text))) {
    return fail("expected printable text");
  }
  return {};
}

template <class T>
Decoded parse_into(const std::string& text, T& field, const char* expected) {
  const auto parsed = T::parse(text);
  if (!parsed) return fail(fmt::format("{} is not {}", shown(text), expected));
  field = *parsed;
  return {};
}

}  // namespace

bool is_name(std::string_view text) noexcept {
  constexpr std::size_t kLongest = 64;
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, is_name_character);
}

Result<std::uint64_t> decode_amount(const std::string& text, const KeyInfo& key) {
  const auto amount = unranged_amount(text, key);
  if (!amount) {
    const std::string word = key.word.empty() ? "" : fmt::format(", or {}", key.word);
    return fail(amount.error().text + word);
  }
  if (*amount < key.least || *amount > key.most) {
    return fail(fmt::format("{} is out of range: {}", text, key.range_text()));
  }
  return amount;
}

Result<std::size_t> decode_choice(const std::string& text, const KeyInfo& key) {
  CG_CHECK(key.kind == KeyKind::Choice);
  const auto found = std::ranges::find(key.choices, text);
  if (found != key.choices.end()) return static_cast<std::size_t>(found - key.choices.begin());
  const bool later = std::ranges::find(key.later, text) != key.later.end();
  return fail(fmt::format("{} is {}; one of {}", shown(text), later ? "not yet there" : "unknown",
                          fmt::join(key.choices, ", ")));
}

Decoded decode(const std::string& text, const KeyInfo& key, bool& field) {
  CG_CHECK(key.kind == KeyKind::Flag);
  if (text != "true" && text != "false") return fail("expected true or false");
  field = text == "true";
  return {};
}

Decoded decode(const std::string& text, const KeyInfo& key, std::string& field) {
  if (text.size() < key.least || text.size() > key.most) {
    return fail("expected " + key.range_text());
  }
  const Decoded good = check_text(text, key.kind);
  if (good) field = text;
  return good;
}

Decoded decode(const std::string& text, const KeyInfo& key, Nanoseconds& field) {
  CG_CHECK(key.kind == KeyKind::Duration);
  const auto amount = decode_amount(text, key);
  if (!amount) return std::unexpected(amount.error());
  field = Nanoseconds{*amount};
  return {};
}

Decoded decode(const std::string& text, const KeyInfo& /*key*/, IpAddress& field) {
  return parse_into(text, field, "an IP address");
}

Decoded decode(const std::string& text, const KeyInfo& /*key*/, IpPrefix& field) {
  return parse_into(text, field, "an address with its network's length: 10.1.0.2/24");
}

Decoded decode(const std::string& text, const KeyInfo& /*key*/, MacAddress& field) {
  return parse_into(text, field, "a MAC address: 02:00:00:00:00:03");
}

Decoded decode(const std::string& text, const KeyInfo& key, Endpoint& field) {
  if (key.path.ends_with(".listen"))
    return parse_into(text, field, "an address and a TCP port: 127.0.0.1:8080, \"[::1]:8080\"");
  return parse_into(text, field, "an address and a UDP port: 239.1.0.1:5000, \"[ff3e::1]:5000\"");
}

Decoded decode(const std::string& text, const KeyInfo& /*key*/, VlanTags& field) {
  return parse_into(text, field, "a VLAN from 1 to 4094: 43, or 100.43 for QinQ");
}

Decoded decode(const std::string& text, const KeyInfo& /*key*/, LegOffset& field) {
  if (text == "auto") {
    field = {.automatic = true, .positions = 0};
    return {};
  }
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  std::int64_t positions = 0;
  const auto [stop, fault] = std::from_chars(begin, end, positions);
  if (fault != std::errc{} || stop != end || text.starts_with("+-")) {
    return fail(shown(text) + " is neither a whole number of positions, as -1200, nor auto");
  }
  field = {.automatic = false, .positions = positions};
  return {};
}

}  // namespace castgate
