// SPDX-License-Identifier: Apache-2.0
#include "pipelines/yaml_tree.h"

#include <fmt/format.h>
#include <sstream>
#include <unordered_map>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "pipelines/yaml_text.h"

namespace castgate {
namespace {

Place place_of(const YAML::Mark& mark) noexcept {
  if (mark.is_null()) return {};
  return {static_cast<unsigned>(mark.line) + 1, static_cast<unsigned>(mark.column) + 1};
}

// Thrown through the parser, which has no other way to be stopped, and caught in parse().
struct Stop {
  TextFault fault;
};

}  // namespace

class YamlTreeBuilder final : public YAML::EventHandler {
 public:
  YamlTreeBuilder(YamlTree& tree, Complaints& complaints) : tree_(tree), complaints_(complaints) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw Stop{{place_of(mark), "a second document: one per file"}};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // What is not there has no place of its own: the parser's is the next token's.
    const bool of_key = !open_.empty() && open_.back().keyed;
    const Place place = of_key ? open_.back().key.place : place_of(mark);
    add_leaf(place, YamlNode::Kind::Null, "", anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                const std::string& value) override {
    add_leaf(place_of(mark), YamlNode::Kind::Text, value, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Place place = place_of(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Stop{{place, "alias of nothing"}};
    if (found->second->weight == 0) throw Stop{{place, "alias of the value that it is part of"}};
    attach(place, *found->second);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(place_of(mark), YamlNode::Kind::List, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(place_of(mark), YamlNode::Kind::Map, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    explicit Open(YamlNode* opened) : node(opened) {}

    YamlNode* node;
    bool keyed = false;   // `key` was read, its value not yet
    YamlNode::Entry key;  // of a map
    std::unordered_map<std::string, unsigned> lines;
  };

  YamlNode& make(Place place, YamlNode::Kind kind, YAML::anchor_t anchor) {
    if (tree_.nodes_.size() >= kMaxYamlNodes) {
      throw Stop{{place, fmt::format("more than {} values", kMaxYamlNodes)}};
    }
    YamlNode& node = tree_.nodes_.emplace_back();
    node.kind = kind;
    node.place = place;
    if (anchor != 0) anchors_[anchor] = &node;
    return node;
  }

  void add_leaf(Place place, YamlNode::Kind kind, const std::string& text, YAML::anchor_t anchor) {
    YamlNode& node = make(place, kind, anchor);
    node.text = text;
    attach(place, node);
  }

  void open(Place place, YamlNode::Kind kind, YAML::anchor_t anchor) {
    if (open_.size() == kMaxYamlDepth) {
      throw Stop{{place, fmt::format("nested deeper than {}", kMaxYamlDepth)}};
    }
    YamlNode& node = make(place, kind, anchor);
    node.weight = 0;
    open_.emplace_back(&node);
  }

  void close() {
    YamlNode& node = *open_.back().node;
    std::size_t weight = 1;
    for (const auto& entry : node.entries) weight += entry.value->weight;
    if (weight > kMaxYamlNodes) {
      throw Stop{{node.place, fmt::format("aliases spell out more than {} values", kMaxYamlNodes)}};
    }
    node.weight = weight;
    open_.pop_back();
    attach(node.place, node);
  }

  void attach(Place place, const YamlNode& node) {
    if (open_.empty()) {
      tree_.root_ = &node;
      return;
    }
    Open& parent = open_.back();
    if (parent.node->kind == YamlNode::Kind::List) {
      parent.node->entries.push_back({"", place, &node});
    } else if (!parent.keyed) {
      if (node.kind != YamlNode::Kind::Text) throw Stop{{place, "a key must be text"}};
      parent.key = {node.text, place, nullptr};
      parent.keyed = true;
    } else {
      parent.key.value = &node;
      add_entry(parent);
    }
  }

  void add_entry(Open& parent) {
    YamlNode::Entry entry = std::exchange(parent.key, {});
    parent.keyed = false;
    const auto [earlier, fresh] = parent.lines.emplace(entry.key, entry.place.line);
    if (fresh) {
      parent.node->entries.push_back(std::move(entry));
      return;
    }
    std::string path;
    for (const Open& level : open_) {
      if (level.keyed) path += path_step(level.key.key) + ".";
    }
    complaints_.error(entry.place, path + path_step(entry.key),
                      fmt::format("duplicate key, first given on line {}", earlier->second));
  }

  YamlTree& tree_;
  Complaints& complaints_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, const YamlNode*> anchors_;
  unsigned documents_ = 0;
};

YamlTree YamlTree::parse(std::string_view text, Complaints& complaints) {
  YamlTree tree;
  const auto give_up = [&](Place place, std::string what) {
    tree.root_ = nullptr;
    complaints.error(place, "", std::move(what));
  };
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    YamlTreeBuilder builder(tree, complaints);
    while (parser.HandleNextDocument(builder)) {
    }
    if (tree.root_ == nullptr) give_up({}, "the file is empty");
  } catch (const Stop& stop) {
    give_up(stop.fault.place, stop.fault.what);
  } catch (const YAML::Exception& error) {
    give_up(place_of(error.mark), printable(error.msg));
  }
  return tree;
}

}  // namespace castgate
