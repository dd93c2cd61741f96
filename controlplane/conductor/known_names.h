// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace castgate {

// "news1, news2": the names that could have been meant; of very many the first.
template <class Item>
std::string known_names(const std::vector<Item>& items) {
  constexpr std::size_t kMost = 20;
  std::string names;
  for (std::size_t i = 0; i < std::min(items.size(), kMost); ++i) {
    names += (i == 0 ? "" : ", ") + items[i].name;
  }
  if (items.size() > kMost) names += " and " + std::to_string(items.size() - kMost) + " more";
  return names;
}

}  // namespace castgate
