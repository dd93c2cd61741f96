// SPDX-License-Identifier: Apache-2.0
#include "pipelines/section.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "dataplane/base/check.h"

namespace castgate {
namespace {

constexpr std::string_view kName = "a name is 1 to 64 letters, digits, _ . and -";

}  // namespace

KeyPath KeyPath::key(std::string_view name) const {
  const std::string dot = text.empty() ? "" : ".";
  return {text + dot + std::string(name), pattern + dot + std::string(name)};
}

KeyPath KeyPath::name(std::string_view name) const {
  return {text + "." + path_step(name), pattern + ".*"};
}

Section::Section(const YamlNode& node, KeyPath path, ReadContext& context)
    : node_(node), path_(std::move(path)), context_(context) {
  if (node.kind != YamlNode::Kind::Map) {
    context_.complaints.error(node.place, path_.text, "expected 'key: value' lines here");
  }
}

const YamlNode::Entry* Section::find(std::string_view key) const {
  if (node_.kind != YamlNode::Kind::Map) return nullptr;
  const auto found = std::ranges::find(node_.entries, key, &YamlNode::Entry::key);
  return found == node_.entries.end() ? nullptr : &*found;
}

Section::Given Section::look_up(std::string_view key) {
  KeyPath path = path_.key(key);
  const KeyInfo* row = find_key(path.pattern);
  CG_CHECK(row != nullptr);
  if (std::ranges::find(known_, row) == known_.end()) known_.push_back(row);
  context_.asked.insert(path.pattern);
  return {row, find(key), std::move(path)};
}

void Section::note(const Given& given, const Decoded& outcome) {
  const Place place = given.entry->value->place;
  context_.places.note(given.path.text, place, outcome.has_value());
  if (!outcome) context_.complaints.error(place, given.path.text, outcome.error().text);
}

void Section::each(std::string_view key, Keys keys, const Visit& visit) {
  const Given given = look_up(key);
  if (given.entry == nullptr) return;
  const YamlNode& node = *given.entry->value;
  if (node.kind != YamlNode::Kind::Map) {
    return note(given, fail("expected 'name: ...' lines here"));
  }
  note(given, {});
  for (const auto& entry : node.entries) {
    if (entry.key.starts_with("x-")) continue;
    const KeyPath path = given.path.name(entry.key);
    context_.places.note(path.text, entry.place, true);
    if (keys == Keys::Names && !is_name(entry.key)) {
      context_.complaints.error(entry.place, path.text, std::string(kName));
      continue;
    }
    visit(entry, path);
  }
}

const YamlNode* Section::child(std::string_view key) {
  const Given given = look_up(key);
  if (given.entry == nullptr) return nullptr;
  context_.places.note(given.path.text, given.entry->value->place, true);
  return given.entry->value;
}

bool Section::has(std::string_view key) const {
  return find(key) != nullptr;
}

void Section::complain(std::string_view key, std::string what) {
  const auto* entry = find(key);
  const std::string path = path_.key(key).text;
  context_.places.note(path, entry != nullptr ? entry->value->place : node_.place, false);
  context_.complaints.error(context_.places.find(path), path, std::move(what));
}

void Section::finish() {
  if (node_.kind != YamlNode::Kind::Map) return;
  bool later = false;
  for (const auto& entry : node_.entries) {
    if (!entry.key.starts_with("x-")) later = refuse(entry) || later;
  }
  if (later) return;  // what is to come may need other keys
  for (const KeyInfo* row : known_) {
    const auto key = row->path.substr(row->path.rfind('.') + 1);
    if (row->fallback != nullptr || has(key)) continue;
    context_.complaints.error(node_.place, path_.key(key).text,
                              fmt::format("missing: {}", row->meaning));
  }
}

bool Section::refuse(const YamlNode::Entry& entry) {
  const KeyPath path = path_.key(entry.key);
  if (std::ranges::find(known_, path.pattern, &KeyInfo::path) != known_.end()) return false;
  const std::string shown_path =
      (path_.text.empty() ? "" : path_.text + ".") + path_step(entry.key);
  if (const ReservedKey* later = find_reserved(path.pattern)) {
    context_.complaints.error(entry.place, shown_path, fmt::format("not yet: {}", later->what));
    return true;
  }
  std::string choices;
  for (const KeyInfo* row : known_) {
    const auto key = row->path.substr(row->path.rfind('.') + 1);
    choices.append(choices.empty() ? "" : ", ").append(key);
  }
  context_.complaints.error(entry.place, shown_path, "unknown key; known here: " + choices);
  return false;
}

}  // namespace castgate
