// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "dataplane/base/instant.h"
#include "dataplane/contract/alarm_kind.h"

namespace castgate {

// What an alarm is about: the parts that it has, by their names in the file.
struct AlarmSubject {
  // A subject leaves out what it does not have: g++ asks for the initialisers.
  // NOLINTBEGIN(readability-redundant-member-init)
  std::string stream = {};
  std::string leg = {};
  std::string port = {};  // or a VLAN of it: red.43
  std::optional<unsigned> core = {};
  // NOLINTEND(readability-redundant-member-init)

  auto operator<=>(const AlarmSubject&) const = default;
  std::string to_string() const;  // "news1/B", "red", "core 5"; empty for the appliance itself
};

struct AlarmKey {
  AlarmKind kind = AlarmKind::AllLegsDown;
  AlarmSubject of;

  auto operator<=>(const AlarmKey&) const = default;
  std::string id() const;  // "leg_silent/news1/B": the same whenever it is raised
};

struct Alarm {
  AlarmKey key;
  std::string text;  // what is wrong and what mends it; the latest
  Instant raised;
  std::optional<Instant> cleared;
  std::uint64_t times = 1;  // that its cause came while it stood

  AlarmSeverity severity() const noexcept { return info_of(key.kind).severity; }
};

// What a judge found wrong.
struct Finding {
  AlarmSubject of;
  std::string text;
};

}  // namespace castgate
