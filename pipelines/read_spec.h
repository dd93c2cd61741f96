// SPDX-License-Identifier: Apache-2.0
// The way from a YAML file to a Spec.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/contract/spec.h"
#include "pipelines/complaints.h"
#include "pipelines/section.h"

namespace castgate {

// What a file says, and everything that is wrong with it. The spec may be used where `good()`.
struct Reading {
  Spec spec;
  Places places;  // for complaints that need the host: cores, devices
  std::vector<Complaint> errors;
  std::vector<Complaint> warnings;

  bool good() const noexcept { return errors.empty(); }
};

// Takes any file: whatever it holds, the work and the memory are bounded.
Reading read_spec(const std::string& path);
// The same from memory; `file` is what complaints call it.
Reading read_spec_text(std::string_view text, const std::string& file);

// The readers of the file's parts. `root` is the whole file's section.
Spec read_root(Section& root, ReadContext& context);
ApplianceSpec read_appliance(const YamlNode& node, const KeyPath& path, ReadContext& context);
DoorsSpec read_doors(const YamlNode& node, const KeyPath& path, ReadContext& context);
PortSpec read_port(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context);
StreamSpec read_stream(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context);
FailoverSpec read_failover(const YamlNode& node, const KeyPath& path, ReadContext& context);
StreamVerifySpec read_stream_verify(const YamlNode& node, const KeyPath& path,
                                    ReadContext& context);
OpenSpec read_open(const YamlNode& node, const KeyPath& path, const LegSpec& leg,
                   ReadContext& context);
// Where an output has `protect`; of `stream` the legs are read.
void read_protect(Section& section, ReadContext& context, const StreamSpec& stream,
                  OutputSpec& output);
void read_protect(Section& section, ReadContext& context, const StreamSpec& stream,
                  UnicastSpec& output);
RestampSpec read_restamp(const YamlNode& node, const KeyPath& path, ReadContext& context);
MonitorSpec read_monitor(const YamlNode& node, const KeyPath& path, ReadContext& context);
// To groups, or to clients.
void read_output(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context,
                 StreamSpec& stream);

// The index of the port that `section` names; complains and gives 0 where there is none.
unsigned read_port_name(Section& section, ReadContext& context);

}  // namespace castgate
