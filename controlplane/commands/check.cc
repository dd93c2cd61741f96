// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fmt/format.h>

#include "controlplane/commands/commands.h"
#include "controlplane/commands/load_file.h"
#include "controlplane/conductor/control_client.h"
#include "controlplane/report/tell.h"
#include "dataplane/base/fingerprint/payload_list.h"
#include "pipelines/units.h"

namespace castgate {
namespace {

void warn_of_a_running_one(const std::string& file, const Spec& spec) {
  if (ask_castgate(spec.appliance.control_socket, {{"show", "workers"}}))
    tell("{}: warning: a castgate serves {} now; stop it before this file is run\n", file,
         spec.appliance.control_socket);
}

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// What a stream without numbers keeps in mind, and the memory that it takes for good.
void tell_remembered(const std::string& file, const Spec& spec) {
  for (const StreamSpec& stream : spec.streams) {
    if (stream.sequence.format != SequenceFormat::Fingerprint) continue;
    const std::uint64_t payloads = window_positions(stream);
    fmt::print("{}: streams.{}: remembers {} payloads for {}, {}\n", file, stream.name, payloads,
               duration_text(2 * stream.failover.max_skew),
               quantity_text(PayloadList::bytes_for(payloads), kSizes));
  }
}

}  // namespace

int check_command(const CheckOptions& options) {
  const Reading reading = load_file(options.file);
  if (!reading.good()) return kExitBadInput;
  const Spec& spec = reading.spec;
  if (!options.offline) {
    if (!host_serves(options.file, reading)) return kExitBadInput;
    warn_of_a_running_one(options.file, spec);
  }
  fmt::print("{}: ok, {}, {}\n", options.file, counted(spec.ports.size(), "port"),
             counted(spec.streams.size(), "stream"));
  tell_remembered(options.file, spec);
  return kExitOk;
}

}  // namespace castgate
