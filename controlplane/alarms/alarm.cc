// SPDX-License-Identifier: Apache-2.0
#include "controlplane/alarms/alarm.h"

#include <fmt/format.h>

namespace castgate {

std::string AlarmSubject::to_string() const {
  std::string text;
  const auto add = [&](const std::string& part) {
    if (!part.empty()) text += (text.empty() ? "" : "/") + part;
  };
  add(stream);
  add(leg);
  add(port);
  if (core) add(fmt::format("core {}", *core));
  return text;
}

std::string AlarmKey::id() const {
  std::string text(info_of(kind).name);
  for (const std::string* part : {&of.stream, &of.leg, &of.port})
    if (!part->empty()) text += '/' + *part;
  if (of.core) text += fmt::format("/{}", *of.core);
  return text;
}

}  // namespace castgate
