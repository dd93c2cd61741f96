// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataplane/contract/spec.h"
#include "dataplane/contract/trace.h"

namespace castgate {

// One thing that happened to a packet, and the key of the pipeline file that made it so.
struct TraceStep {
  std::string what;  // arrived, classified, held, released, sent, not_sent, dropped
  Instant at;
  std::string text;
  std::string key;  // dotted; it may not be in the file, where the default decided
};

// A packet's way in its order. `trace` is of a packet that the capture of `port` has.
std::vector<TraceStep> trace_story(const Spec& spec, unsigned port, const PacketTrace& trace);

// 2023-11-14T22:13:20.000109271Z
std::string moment_text(Instant at);

}  // namespace castgate
