// SPDX-License-Identifier: Apache-2.0
#include "controlplane/commands/replay_plan.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <sstream>

#include "controlplane/clients/client_list.h"
#include "controlplane/conductor/control_orders.h"
#include "pipelines/complaints.h"
#include "pipelines/units.h"

namespace castgate {
namespace {

using Files = std::vector<ReplayFile>;

std::string known_ports(const Spec& spec) {
  std::string names;
  for (const PortSpec& port : spec.ports) names += (names.empty() ? "" : ", ") + port.name;
  return names;
}

Result<ReplayFile> read_one(const Spec& spec, const std::string& option, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    return fail(fmt::format("{} {}: expected PORT=CAPTURE", option, text));
  const std::string name = text.substr(0, equals);
  const auto port = std::ranges::find(spec.ports, name, &PortSpec::name);
  if (port == spec.ports.end())
    return fail(fmt::format("{} {}: no port '{}'; the file has: {}", option, text, name,
                            known_ports(spec)));
  return ReplayFile{static_cast<unsigned>(port - spec.ports.begin()), text.substr(equals + 1)};
}

Result<Files> read_all(const Spec& spec, const std::string& option,
                       const std::vector<std::string>& texts) {
  Files files;
  for (const std::string& text : texts) {
    auto file = read_one(spec, option, text);
    if (!file) return std::unexpected(file.error());
    files.push_back(*std::move(file));
  }
  return files;
}

// Two names for one file: both exist and are the same, or neither does and the paths agree.
bool same_file(const std::string& a, const std::string& b) {
  std::error_code none;
  if (std::filesystem::is_character_file(a, none)) return false;  // /dev/null takes any number
  if (std::filesystem::equivalent(a, b, none)) return true;
  return std::filesystem::weakly_canonical(a, none) == std::filesystem::weakly_canonical(b, none);
}

Result<void> refuse_repeated_ports(const Spec& spec, const std::string& option,
                                   const Files& files) {
  for (auto it = files.begin(); it != files.end(); ++it)
    if (std::any_of(files.begin(), it, [&](const auto& other) { return other.port == it->port; }))
      return fail(fmt::format("{} {}={}: port {} has a capture already", option,
                              spec.ports[it->port].name, it->path, spec.ports[it->port].name));
  return {};
}

// `path`: what `option` writes.
Result<void> refuse_overwriting(const ReplayArguments& all, const std::string& option,
                                const std::string& path) {
  const auto is_it = [&](const ReplayFile& other) { return same_file(other.path, path); };
  for (const Files* files : {&all.in, &all.expect, &all.out})
    if (!path.empty() && std::ranges::any_of(*files, is_it))
      return fail(
          fmt::format("{} {}: another option names this file; write another", option, path));
  for (auto out = all.out.begin(); out != all.out.end(); ++out) {
    const auto same = [&](const ReplayFile& other) { return same_file(other.path, out->path); };
    if (std::ranges::any_of(all.in, same) || std::ranges::any_of(all.expect, same))
      return fail(fmt::format("--out {}: this capture is read too; write another file", out->path));
    if (std::any_of(all.out.begin(), out, same))
      return fail(fmt::format("--out {}: two ports cannot write one file", out->path));
  }
  return {};
}

Result<ReplayCommand> read_command(const Spec& spec, const std::string& text) {
  std::istringstream in(text);
  const std::vector<std::string> words{std::istream_iterator<std::string>(in), {}};
  if (words.size() != 5 || words[1] != "leg") {
    return fail(fmt::format("--at {}: expected \"TIME leg STREAM LEG ACTION\"", shown(text)));
  }
  const auto after = parse_quantity(words[0], kDurations);
  if (!after) return fail(fmt::format("--at {}: {}", shown(text), after.error().text));
  const auto command = make_leg_command(spec, words[2], words[3], words[4]);
  if (!command) return fail(fmt::format("--at {}: {}", shown(text), command.error().text));
  return ReplayCommand{Nanoseconds{static_cast<std::int64_t>(*after)}, *command};
}

Result<std::vector<ReplayCommand>> read_commands(const Spec& spec,
                                                 const std::vector<std::string>& texts) {
  std::vector<ReplayCommand> commands;
  for (const std::string& text : texts) {
    auto command = read_command(spec, text);
    if (!command) return std::unexpected(command.error());
    commands.push_back(*command);
  }
  std::ranges::stable_sort(commands, {}, &ReplayCommand::after);
  return commands;
}

}  // namespace

Result<ReplayArguments> read_replay_arguments(const Spec& spec, const ReplayOptions& options) {
  auto in = read_all(spec, "--in", options.in);
  if (!in) return std::unexpected(in.error());
  auto out = read_all(spec, "--out", options.out);
  if (!out) return std::unexpected(out.error());
  auto expect = read_all(spec, "--expect", options.expect);
  if (!expect) return std::unexpected(expect.error());

  auto commands = read_commands(spec, options.at);
  if (!commands) return std::unexpected(commands.error());

  ReplayArguments all{
      *std::move(in), *std::move(out), *std::move(expect), *std::move(commands), {}};
  if (!options.clients.empty()) {
    auto clients = read_client_file(spec, options.clients);
    if (!clients) return std::unexpected(clients.error());
    all.clients = *std::move(clients);
  }
  if (auto ok = refuse_repeated_ports(spec, "--in", all.in); !ok)
    return std::unexpected(ok.error());
  if (auto ok = refuse_repeated_ports(spec, "--out", all.out); !ok)
    return std::unexpected(ok.error());
  if (auto ok = refuse_repeated_ports(spec, "--expect", all.expect); !ok)
    return std::unexpected(ok.error());
  if (auto ok = refuse_overwriting(all, "--capture-stages", options.capture_stages); !ok)
    return std::unexpected(ok.error());
  if (auto ok = refuse_overwriting(all, "--events", options.events); !ok)
    return std::unexpected(ok.error());
  return all;
}

}  // namespace castgate
