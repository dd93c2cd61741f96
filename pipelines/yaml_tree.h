// SPDX-License-Identifier: Apache-2.0
// A YAML document as plain nodes with places. Built from the parser's events, since yaml-cpp's own
// nodes take one of two equal keys in silence and forget where an alias was used.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/complaints.h"

namespace castgate {

inline constexpr std::size_t kMaxYamlNodes = 300'000;  // with every alias spelled out
inline constexpr std::size_t kMaxYamlDepth = 32;

struct YamlNode {
  enum class Kind : std::uint8_t { Null, Text, List, Map };
  struct Entry {
    std::string key;  // empty in a list
    Place place;      // of the key; of the item in a list
    const YamlNode* value = nullptr;
  };

  Kind kind = Kind::Null;
  Place place;
  std::string text;
  std::vector<Entry> entries;  // in the file's order
  std::size_t weight = 1;      // nodes from here down, aliases spelled out; 0 while unfinished
};

// Owns its nodes; no node names one above it. The work to build and to walk it is bounded by
// kMaxYamlNodes, whatever the text.
class YamlTree {
 public:
  // Complains of duplicate keys and goes on; of syntax once, and has no root then.
  static YamlTree parse(std::string_view text, Complaints& complaints);

  const YamlNode* root() const noexcept { return root_; }
  std::size_t size() const noexcept { return nodes_.size(); }

 private:
  friend class YamlTreeBuilder;

  std::deque<YamlNode> nodes_;
  const YamlNode* root_ = nullptr;
};

}  // namespace castgate
