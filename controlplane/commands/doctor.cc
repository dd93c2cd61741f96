// SPDX-License-Identifier: Apache-2.0
#include "controlplane/host/doctor.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controlplane/commands/commands.h"
#include "controlplane/commands/load_file.h"
#include "controlplane/report/table.h"

namespace castgate {
namespace {

std::string_view word_of(HostFinding::State state) {
  constexpr std::array<std::string_view, 3> kWords{"ok", "advice", "LACK"};
  return kWords[static_cast<std::size_t>(state)];
}

std::string as_json(const std::vector<HostFinding>& findings) {
  auto json = nlohmann::ordered_json::array();
  constexpr std::array<std::string_view, 3> kWords{"good", "advice", "lack"};
  for (const HostFinding& finding : findings) {
    json.push_back({{"state", kWords[static_cast<std::size_t>(finding.state)]},
                    {"subject", finding.subject},
                    {"found", finding.found},
                    {"cure", finding.cure}});
  }
  return json.dump(1) + "\n";
}

std::string as_text(const std::vector<HostFinding>& findings) {
  Table table({{"", Align::Left}, {"subject", Align::Left}, {"found", Align::Left}});
  for (const HostFinding& finding : findings) {
    table.add_row({std::string(word_of(finding.state)), finding.subject, finding.found});
  }
  std::string text = table.to_string();
  std::string cures;
  for (const HostFinding& finding : findings) {
    if (!finding.cure.empty()) cures += fmt::format("# {}\n{}\n", finding.subject, finding.cure);
  }
  return cures.empty() ? text : text + "\nTo mend it (nothing was changed):\n\n" + cures;
}

}  // namespace

int doctor_command(const DoctorOptions& options) {
  Reading reading;
  if (!options.file.empty()) {
    reading = load_file(options.file);
    if (!reading.good()) return kExitBadInput;
  }
  const auto findings = examine_host(options.file.empty() ? nullptr : &reading.spec);
  fmt::print("{}", options.json ? as_json(findings) : as_text(findings));
  const bool lacks =
      std::ranges::find(findings, HostFinding::State::Lack, &HostFinding::state) != findings.end();
  return lacks ? kExitDiffers : kExitOk;
}

}  // namespace castgate
