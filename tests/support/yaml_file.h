// SPDX-License-Identifier: Apache-2.0
// A file without fault, whose parts a test replaces; and what reading it complains of.
#pragma once

#include <fmt/format.h>
#include <string>
#include <vector>

#include "pipelines/read_spec.h"

namespace castgate::test {

// Each part is what stands between the braces of its section, on a line of its own:
//   2 appliance, 3 ports, 4 streams' head, 5 legs, 6 failover, 7 outputs
struct YamlFile {
  // A test names what it changes: g++ asks for the initialisers of the rest.
  // NOLINTBEGIN(readability-redundant-member-init)
  std::string appliance = {};
  std::string ports =
      "red: {device: d0, addresses: [10.1.0.2/24], vlans: {43: {addresses: [10.43.0.2/24]}}}, "
      "blue: {device: d1}, out: {device: d2, addresses: [10.0.0.9/24]}";
  std::string legs = "A: {port: red, to: 239.1.0.1:5000}, B: {port: blue, to: 239.2.0.1:5002}";
  std::string failover = {};
  std::string outputs = "main: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9}";
  std::string stream = {};  // further keys of the stream, each with a comma behind it
  std::string more = {};    // further streams
  // NOLINTEND(readability-redundant-member-init)

  std::string text() const {
    return fmt::format(
        "schema: 1\nappliance: {{{}}}\nports: {{{}}}\nstreams: {{s: {{{}\nlegs: {{{}}},\n"
        "failover: {{{}}},\noutputs: {{{}}}}}{}}}\n",
        appliance, ports, stream, legs, failover, outputs, more);
  }
};

inline std::string joined(const std::vector<Complaint>& complaints) {
  std::string text;
  for (const auto& complaint : complaints) {
    text += (text.empty() ? "" : "\n") + complaint.to_string();
  }
  return text;
}

// Lines of complaint; empty where there is none.
inline std::string errors_in(const std::string& text) {
  return joined(read_spec_text(text, "f").errors);
}
inline std::string errors_of(const YamlFile& file) {
  return errors_in(file.text());
}
inline std::string warnings_of(const YamlFile& file) {
  return joined(read_spec_text(file.text(), "f").warnings);
}

}  // namespace castgate::test
