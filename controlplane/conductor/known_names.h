// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace castgate {

// The place of the one that is called so; `items.size()` where none is. Vacant places have no name.
template <class Item>
std::size_t index_of(const std::vector<Item>& items, const std::string& name) {
  if (name.empty()) return items.size();
  return static_cast<std::size_t>(std::ranges::find(items, name, &Item::name) - items.begin());
}

// "news1, news2": the names that could have been meant; of very many the first.
template <class Item>
std::string known_names(const std::vector<Item>& items) {
  constexpr std::size_t kMost = 20;
  std::string names;
  std::size_t count = 0;
  for (const Item& item : items) {
    if (item.name.empty() || ++count > kMost) continue;
    names += (count == 1 ? "" : ", ") + item.name;
  }
  if (count > kMost) names += " and " + std::to_string(count - kMost) + " more";
  return names;
}

}  // namespace castgate
