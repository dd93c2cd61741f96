// SPDX-License-Identifier: Apache-2.0
#include "pipelines/keys.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unordered_map>

#include "pipelines/units.h"

namespace castgate {
namespace {

constexpr auto kReserved = std::to_array<ReservedKey>({
    {"pair", "two appliances that take over from each other"},
    {"include", "a file inside another"},
    {"profiles", "named groups of settings"},
    {"templates", "streams made from a pattern"},
    {"doors.rtsp", "clients that join by RTSP"},
    {"doors.amt", "clients that join by AMT"},
    {"doors.http", "players that ask for a URL"},
    {"streams.*.sequence.key", "formats that need a key of their own"},
});

using KeyIndex = std::unordered_map<std::string_view, const KeyInfo*>;

const KeyIndex& key_index() {
  static const KeyIndex index = [] {
    KeyIndex all;
    for (const KeyInfo* key : all_keys()) all.emplace(key->path, key);
    return all;
  }();
  return index;
}

const Quantity* quantity_of(KeyKind kind) noexcept {
  if (kind == KeyKind::Duration) return &kDurations;
  if (kind == KeyKind::Size) return &kSizes;
  if (kind == KeyKind::PacketRate) return &kPacketRates;
  if (kind == KeyKind::BitRate) return &kBitRates;
  if (kind == KeyKind::Frequency) return &kFrequencies;
  if (kind == KeyKind::Share) return &kShares;
  return nullptr;
}

std::string_view kind_text(KeyKind kind) noexcept {
  constexpr std::array<std::string_view, 22> kNames{
      "map",          "flag",           "number",
      "duration",     "size",           "rate",
      "bit rate",     "frequency",      "share",
      "name",         "text",           "device",
      "path",         "choice",         "address",
      "address: MAC", "address/length", "MAC address",
      "address:port", "VLAN",           "number or 0x...",
      "whole number"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

std::vector<const KeyInfo*> all_keys() {
  std::vector<const KeyInfo*> all;
  for (const auto part :
       {kApplianceKeys, kDoorKeys, kPortKeys, kStreamKeys, kFailoverKeys, kVerifyKeys, kRestampKeys,
        kMonitorKeys, kOutputKeys, kProtectKeys, kOpenKeys}) {
    for (const KeyInfo& key : part) all.push_back(&key);
  }
  return all;
}

const KeyInfo* find_key(std::string_view path) {
  const auto found = key_index().find(path);
  return found == key_index().end() ? nullptr : found->second;
}

std::span<const ReservedKey> reserved_keys() {
  return kReserved;
}

const ReservedKey* find_reserved(std::string_view path) {
  const auto dot = path.rfind('.');
  const auto last = dot == std::string_view::npos ? path : path.substr(dot + 1);
  const auto found = std::ranges::find_if(
      kReserved, [&](const ReservedKey& key) { return key.path == path || key.path == last; });
  return found == kReserved.end() ? nullptr : found;
}

std::string_view change_text(const KeyInfo& key) noexcept {
  return key.is_live() ? "live" : "restart-only";
}

std::string KeyInfo::value_text() const {
  return fmt::format("{}{}", list ? "list of " : "", kind_text(kind));
}

std::string KeyInfo::unit_text() const {
  const Quantity* quantity = quantity_of(kind);
  return quantity != nullptr ? quantity->unit_names() : std::string(unit);
}

std::string KeyInfo::range_text() const {
  std::string text;
  if (kind == KeyKind::Choice) text = fmt::format("{}", fmt::join(choices, ", "));
  if (kind == KeyKind::Flag) text = "true, false";
  if (kind == KeyKind::Offset) text = "within the numbers' range, or auto";
  if (kind == KeyKind::Vlan) text = "1 to 4094, twice for QinQ";
  if (const Quantity* quantity = quantity_of(kind)) {
    text = quantity_text(least, *quantity) + " to " + quantity_text(most, *quantity);
  } else if (most > 0) {
    text = least == most ? std::to_string(least) : fmt::format("{} to {}", least, most);
    if (kind != KeyKind::Number && kind != KeyKind::Ssrc) text += " characters";
  }
  if (!word.empty()) text += fmt::format(", or {}", word);
  return text;
}

std::string KeyInfo::default_text() const {
  return fallback == nullptr ? "required" : fallback(Defaults{});
}

}  // namespace castgate
