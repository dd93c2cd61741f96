// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <nlohmann/json.hpp>

#include "controlplane/commands/commands.h"
#include "controlplane/commands/load_file.h"
#include "controlplane/conductor/control_client.h"
#include "controlplane/host/door_files.h"
#include "controlplane/report/tell.h"
#include "dataplane/base/fingerprint/payload_list.h"
#include "pipelines/units.h"

namespace castgate {
namespace {

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

// What stands in the way on this host, and what is there already.
void look_at_host(const std::string& file, const Reading& reading, std::vector<Complaint>& into) {
  std::vector<HostComplaint> lacks = check_host(reading.spec);
  std::ranges::copy(check_door_files(reading.spec.doors), std::back_inserter(lacks));
  const std::string& socket = reading.spec.appliance.control_socket;
  if (ask_castgate(socket, {{"show", "workers"}})) {
    lacks.push_back(
        {.is_error = false,
         .key = "appliance.control_socket",
         .what = fmt::format("a castgate serves {} now; stop it before this file is run", socket)});
  }
  std::ranges::move(lacks_for(file, reading, lacks), std::back_inserter(into));
}

nlohmann::ordered_json as_json(const std::vector<Complaint>& complaints, Severity severity) {
  auto made = nlohmann::ordered_json::array();
  for (const Complaint& complaint : complaints) {
    if (complaint.severity != severity) continue;
    made.push_back({{"line", complaint.place.line},
                    {"column", complaint.place.column},
                    {"key", complaint.key},
                    {"text", complaint.what}});
  }
  return made;
}

bool is_error(const Complaint& complaint) noexcept {
  return complaint.severity == Severity::Error;
}

}  // namespace

int check_command(const CheckOptions& options) {
  const Reading reading = read_file(options.file, options.keys);
  std::vector<Complaint> complaints = reading.errors;
  std::ranges::copy(reading.warnings, std::back_inserter(complaints));
  if (reading.good() && !options.offline) look_at_host(options.file, reading, complaints);
  const bool good = std::ranges::none_of(complaints, is_error);
  const Spec& spec = reading.spec;
  if (options.json) {
    const nlohmann::ordered_json told{{"file", options.file},
                                      {"ok", good},
                                      {"errors", as_json(complaints, Severity::Error)},
                                      {"warnings", as_json(complaints, Severity::Warning)}};
    fmt::print("{}\n", told.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return good ? kExitOk : kExitBadInput;
  }
  for (const Complaint& complaint : complaints) tell("{}\n", complaint.to_string());
  if (!good) return kExitBadInput;
  fmt::print("{}: ok, {}, {}\n", options.file, counted(spec.ports.size(), "port"),
             counted(spec.streams.size(), "stream"));
  tell_remembered(options.file, spec);
  return kExitOk;
}

}  // namespace castgate
