// SPDX-License-Identifier: Apache-2.0
#include "controlplane/host/cpu_list.h"

#include <charconv>

namespace castgate {
namespace {

constexpr unsigned kMostCores = 4096;  // bounds the range that one line can ask for

bool take_number(std::string_view& text, unsigned& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number >= kMostCores) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::set<unsigned> read_cpu_list(std::string_view text) {
  std::set<unsigned> cores;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    unsigned first = 0;
    if (!take_number(item, first)) continue;
    unsigned last = first;
    if (item.starts_with('-')) {
      item.remove_prefix(1);
      if (!take_number(item, last)) continue;
    }
    for (unsigned core = first; core <= last; ++core) cores.insert(core);
  }
  return cores;
}

}  // namespace castgate
