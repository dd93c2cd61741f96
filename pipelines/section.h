// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/complaints.h"
#include "pipelines/values.h"
#include "pipelines/yaml_tree.h"

namespace castgate {

// Where a reader stands: as the user sees it, and as the key table names it.
struct KeyPath {
  std::string text;     // streams.news1.legs.A.port
  std::string pattern;  // streams.*.legs.*.port

  KeyPath key(std::string_view name) const;   // a key of the language
  KeyPath name(std::string_view name) const;  // a name that the operator chose
};

// What every reader shares.
struct ReadContext {
  Complaints complaints;
  Places places;
  std::set<std::string> asked;          // paths of the key table that readers looked for
  std::vector<std::string> port_names;  // by index into Spec::ports

  explicit ReadContext(std::string file) : complaints(std::move(file)) {}
};

// One YAML map, read key by key; a complaint is gathered for each value that is not what its row in
// the key table says. Expects that its readers ask for rows of that table only.
class Section {
 public:
  using Visit = std::function<void(const YamlNode::Entry& entry, const KeyPath& path)>;

  Section(const YamlNode& node, KeyPath path, ReadContext& context);

  // Leaves `field` at its default where the key is absent or its value wrong. The row's word, as
  // in `ttl: decrement`, makes the field empty or zero.
  template <class T>
  void read(std::string_view key, T& field) {
    const Given given = look_up(key);
    if (given.entry != nullptr) note(given, decode_text(*given.entry->value, *given.row, field));
  }

  template <class T>
  void read_list(std::string_view key, std::vector<T>& field);

  // Calls `visit` for each entry of the map below `key`. With `names`, keys must be names.
  enum class Keys : std::uint8_t { Names, Any };
  void each(std::string_view key, Keys keys, const Visit& visit);

  // The value below `key`, whatever it is; null where the key is absent.
  const YamlNode* child(std::string_view key);

  bool has(std::string_view key) const;
  const KeyPath& path() const noexcept { return path_; }
  void complain(std::string_view key, std::string what);

  // Last: complains of keys nobody asked for, and of required ones that are not there.
  void finish();

 private:
  struct Given {
    const KeyInfo* row;
    const YamlNode::Entry* entry;  // null: absent
    KeyPath path;
  };

  Given look_up(std::string_view key);
  const YamlNode::Entry* find(std::string_view key) const;
  void note(const Given& given, const Decoded& outcome);
  // Complains of a key that nobody asked for. True where it is one that comes later.
  bool refuse(const YamlNode::Entry& entry);

  template <class T>
  static Decoded decode_text(const YamlNode& node, const KeyInfo& row, T& field) {
    if (node.kind == YamlNode::Kind::Null) return fail("needs a value");
    if (node.kind != YamlNode::Kind::Text) return fail("expected " + row.value_text());
    if (!row.word.empty() && node.text == row.word) {
      field = {};
      return {};
    }
    return decode(node.text, row, field);
  }

  const YamlNode& node_;
  KeyPath path_;
  ReadContext& context_;
  std::vector<const KeyInfo*> known_;
};

template <class T>
void Section::read_list(std::string_view key, std::vector<T>& field) {
  const Given given = look_up(key);
  if (given.entry == nullptr) return;
  const YamlNode& node = *given.entry->value;
  if (node.kind != YamlNode::Kind::List) {
    return note(given, fail("expected a " + given.row->value_text() + ", in [ ]"));
  }
  note(given, {});
  field.clear();
  for (std::size_t i = 0; i < node.entries.size(); ++i) {
    const auto& entry = node.entries[i];
    T value{};
    const Given item{given.row, &entry, {given.path.text + "[" + std::to_string(i) + "]", {}}};
    const Decoded outcome = decode_text(*entry.value, *given.row, value);
    note(item, outcome);
    if (outcome) field.push_back(std::move(value));
  }
}

}  // namespace castgate
