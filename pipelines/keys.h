// SPDX-License-Identifier: Apache-2.0
// The one table of YAML keys. Readers take kind, range and choices from it, `castgate keys` and
// reference.md print it: what is documented is what is enforced.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/contract/spec.h"

namespace castgate {

enum class KeyKind : std::uint8_t {
  Map,     // keys of its own, or names the operator chooses
  Flag,    // true or false
  Number,  // whole, without unit
  Duration,
  Size,
  PacketRate,
  BitRate,
  Frequency,
  Share,   // of a whole
  Name,    // letters, digits, _ . -
  Text,    // any printable text
  Device,  // printable ASCII without blanks
  Path,    // absolute
  Choice,
  Address,
  AddressMap,  // IP address: MAC address
  Prefix,
  Mac,
  Endpoint,
  Vlan,
  Ssrc,    // 32 bits, decimal or 0x...
  Offset,  // whole, with or without a sign, or auto
};

// One of each part of Spec, as nobody has touched it.
struct Defaults {
  ApplianceSpec appliance;
  RestDoorSpec rest;
  PortSpec port;
  NetworkSpec network;
  StreamSpec stream;
  LegSpec leg;
  SequenceSpec sequence;
  FailoverSpec failover;
  StreamVerifySpec verify;
  RestampSpec restamp;
  MonitorSpec monitor;
  OutputSpec output;
  UnicastSpec unicast;
  ProtectSpec protect;
  OpenSpec open;
};

struct KeyInfo {
  std::string_view path;  // dotted; * is a name that the operator chooses
  KeyKind kind = KeyKind::Map;
  bool list = false;        // several of the kind, in [ ]
  std::uint64_t least = 0;  // of numbers and quantities, in the base unit; of texts, characters
  std::uint64_t most = 0;
  // A row leaves out what it does not have: g++ asks for the initialisers.
  // NOLINTBEGIN(readability-redundant-member-init)
  std::string_view unit = {};                               // of a Number: what it counts
  std::string_view word = {};                               // taken instead of a value
  std::span<const std::string_view> choices = {};           // in the order of the enum
  std::span<const std::string_view> later = {};             // choices refused as not yet
  std::string (*fallback)(const Defaults& none) = nullptr;  // null: the key is required
  std::string_view meaning = {};
  // NOLINTEND(readability-redundant-member-init)

  // Does it take effect when the file is read again? What is restart-only: contract/reload.h.
  bool is_live() const noexcept {
    return path.starts_with("streams") && !path.ends_with(".fan_workers");
  }
  std::string value_text() const;    // "duration", "list of addresses with length"
  std::string unit_text() const;     // "ns, us, ms, s"
  std::string range_text() const;    // "1us to 10s", "merge", "1 to 255, or decrement"
  std::string default_text() const;  // "10ms", "required"
};

// A key that is known to come. A path without dots is reserved everywhere.
struct ReservedKey {
  std::string_view path;
  std::string_view what;
};

extern const std::span<const KeyInfo> kApplianceKeys;
extern const std::span<const KeyInfo> kDoorKeys;
extern const std::span<const KeyInfo> kPortKeys;
extern const std::span<const KeyInfo> kStreamKeys;
extern const std::span<const KeyInfo> kOpenKeys;
extern const std::span<const KeyInfo> kFailoverKeys;
extern const std::span<const KeyInfo> kVerifyKeys;
extern const std::span<const KeyInfo> kRestampKeys;
extern const std::span<const KeyInfo> kMonitorKeys;
extern const std::span<const KeyInfo> kOutputKeys;
extern const std::span<const KeyInfo> kProtectKeys;

// Every key, in the order of the reference.
std::vector<const KeyInfo*> all_keys();
// Null where the table has no such path.
const KeyInfo* find_key(std::string_view path);

std::span<const ReservedKey> reserved_keys();
const ReservedKey* find_reserved(std::string_view path);

// "live" or "restart-only"
std::string_view change_text(const KeyInfo& key) noexcept;

// pipelines/reference.md, and the same as JSON.
std::string reference_text();
std::string keys_json();

}  // namespace castgate
