// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ranges>

#include "pipelines/rules.h"
#include "pipelines/yaml_text.h"

namespace castgate {
namespace {

Reading finish(ReadContext& context, Spec spec) {
  Reading reading;
  reading.spec = std::move(spec);
  reading.errors = context.complaints.take_errors();
  reading.warnings = context.complaints.take_warnings();
  reading.places = std::move(context.places);
  return reading;
}

}  // namespace

Reading read_spec(const std::string& path) {
  const auto text = read_text_file(path);
  if (text) return read_spec_text(*text, path);
  ReadContext context(path);
  context.complaints.error({}, "", text.error().text);
  return finish(context, {});
}

Reading read_spec_text(std::string_view text, const std::string& file) {
  ReadContext context(file);
  if (const auto fault = find_text_fault(text)) {
    context.complaints.error(fault->place, "", fault->what);
    return finish(context, {});
  }
  const YamlTree tree = YamlTree::parse(text, context.complaints);
  if (tree.root() == nullptr) return finish(context, {});
  Section root(*tree.root(), {}, context);
  Spec spec = read_root(root, context);
  check_rules(spec, context);
  return finish(context, std::move(spec));
}

Spec read_root(Section& root, ReadContext& context) {
  Spec spec;
  unsigned schema = 1;
  root.read("schema", schema);
  if (const YamlNode* node = root.child("appliance")) {
    spec.appliance = read_appliance(*node, KeyPath{}.key("appliance"), context);
  }
  if (const YamlNode* node = root.child("doors")) {
    spec.doors = read_doors(*node, KeyPath{}.key("doors"), context);
  }
  root.each("ports", Section::Keys::Names, [&](const auto& entry, const KeyPath& path) {
    spec.ports.push_back(read_port(entry, path, context));
  });
  for (const PortSpec& port : spec.ports) context.port_names.push_back(port.name);
  root.each("streams", Section::Keys::Names, [&](const auto& entry, const KeyPath& path) {
    spec.streams.push_back(read_stream(entry, path, context));
  });
  root.finish();
  return spec;
}

unsigned read_port_name(Section& section, ReadContext& context) {
  constexpr std::size_t kMostShown = 16;
  std::string name;
  section.read("port", name);
  if (name.empty()) return 0;
  const auto found = std::ranges::find(context.port_names, name);
  if (found != context.port_names.end()) {
    return static_cast<unsigned>(found - context.port_names.begin());
  }
  const auto some = std::views::take(context.port_names, kMostShown);
  section.complain("port", fmt::format("no port is named {}; there are: {}", shown(name),
                                       fmt::join(some, ", ")));
  return 0;
}

}  // namespace castgate
