// SPDX-License-Identifier: Apache-2.0
// From a scalar's text to a field of a Spec, as its row in the key table says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "dataplane/base/address.h"
#include "dataplane/base/error.h"
#include "dataplane/base/instant.h"
#include "dataplane/base/offset/leg_offset.h"
#include "pipelines/keys.h"

namespace castgate {

// A name of ports, streams, legs and outputs: 1 to 64 letters, digits, _ . -
bool is_name(std::string_view text) noexcept;

using Decoded = std::expected<void, Error>;

// A Number, Ssrc, Duration, Size, PacketRate, BitRate or Frequency within the row's range, in base
// units.
Result<std::uint64_t> decode_amount(const std::string& text, const KeyInfo& key);
// The place of `text` among the row's choices.
Result<std::size_t> decode_choice(const std::string& text, const KeyInfo& key);

Decoded decode(const std::string& text, const KeyInfo& key, bool& field);
Decoded decode(const std::string& text, const KeyInfo& key, std::string& field);
Decoded decode(const std::string& text, const KeyInfo& key, Nanoseconds& field);
Decoded decode(const std::string& text, const KeyInfo& key, IpAddress& field);
Decoded decode(const std::string& text, const KeyInfo& key, IpPrefix& field);
Decoded decode(const std::string& text, const KeyInfo& key, MacAddress& field);
Decoded decode(const std::string& text, const KeyInfo& key, Endpoint& field);
Decoded decode(const std::string& text, const KeyInfo& key, VlanTags& field);
Decoded decode(const std::string& text, const KeyInfo& key, LegOffset& field);

template <class T>
  requires std::is_unsigned_v<T>
Decoded decode(const std::string& text, const KeyInfo& key, T& field) {
  const auto amount = decode_amount(text, key);
  if (!amount) return std::unexpected(amount.error());
  field = static_cast<T>(*amount);  // the row's range is within T's: a test holds them together
  return {};
}

template <class T>
  requires std::is_enum_v<T>
Decoded decode(const std::string& text, const KeyInfo& key, T& field) {
  const auto choice = decode_choice(text, key);
  if (!choice) return std::unexpected(choice.error());
  field = static_cast<T>(*choice);
  return {};
}

template <class T>
Decoded decode(const std::string& text, const KeyInfo& key, std::optional<T>& field) {
  T value{};
  const Decoded done = decode(text, key, value);
  if (done) field = value;
  return done;
}

}  // namespace castgate
