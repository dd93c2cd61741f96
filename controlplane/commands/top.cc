// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <fmt/format.h>
#include <unistd.h>

#include "controlplane/commands/commands.h"
#include "controlplane/commands/screen.h"
#include "controlplane/conductor/control_client.h"
#include "controlplane/report/client_rates.h"
#include "controlplane/report/rates.h"
#include "controlplane/report/snapshot_json.h"
#include "controlplane/report/status_text.h"

namespace castgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRefresh{1000};
constexpr unsigned kClientsPrinted = 20;  // where there is no screen to fill
constexpr std::string_view kClientsView = "clients";
constexpr const char* kFoot = "s streams  c clients: d by drops, r by rate   q quits";

struct Sample {
  Clock::time_point at;
  std::string headline;
  Snapshot snapshot;
  nlohmann::json clients;  // the reply to `show clients`; null in the view of streams
};

// What is looked at, and what answers.
struct View {
  std::string socket;
  std::string what;  // streams, clients
  std::string by;    // of the clients
  unsigned clients = kClientsPrinted;
};

Result<Sample> take_sample(const View& view) {
  const auto reply = ask_castgate(view.socket, {{"show", "all"}});
  if (!reply) return std::unexpected(reply.error());
  auto snapshot = snapshot_from_json(*reply);
  if (!snapshot) return std::unexpected(snapshot.error());
  Sample taken{Clock::now(), status_line(*reply), *std::move(snapshot), nullptr};
  if (view.what != kClientsView) return taken;
  auto clients =
      ask_castgate(view.socket, {{"show", "clients"}, {"top", view.clients}, {"by", view.by}});
  if (!clients) return std::unexpected(clients.error());
  taken.clients = *std::move(clients);
  return taken;
}

std::string page(const View& view, const Sample& before, const Sample& after) {
  const Nanoseconds between = after.at - before.at;
  if (view.what != kClientsView)
    return fmt::format("{}\n\n{}\n{}", after.headline,
                       port_rates_table(before.snapshot, after.snapshot, between).to_string(),
                       stream_rates_table(before.snapshot, after.snapshot, between).to_string());
  std::string text =
      fmt::format("{}\n\n{}\n{}\n", after.headline,
                  unicast_rates_table(before.snapshot, after.snapshot, between).to_string(),
                  clients_headline(after.clients, view.by));
  if (!after.clients.value("clients", nlohmann::json::array()).empty())
    text += client_rates_table(before.clients, after.clients, between).to_string();
  return text;
}

// False where the user wants to go.
bool obey(char key, View& view) {
  if (key == 's') view.what = "streams";
  if (key == 'c' || key == 'd' || key == 'r') view.what = kClientsView;
  if (key == 'd') view.by = "drops";
  if (key == 'r') view.by = "rate";
  return key != 'q';
}

// A key is obeyed at once, with rates since the sample before; a sample takes its place in its
// time.
Result<void> refresh_until_quit(View view, Sample before) {
  const Screen screen;
  Screen::draw(page(view, {before.at - kRefresh, "", before.snapshot, before.clients}, before),
               kFoot);
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(before.at + kRefresh - Clock::now());
    const char key = wait_for_key(left, true);
    if (!obey(key, view)) return {};
    view.clients = Screen::rows();
    auto after = take_sample(view);
    if (!after) return std::unexpected(after.error());
    Screen::draw(page(view, before, *after), kFoot);
    if (key == kNoKey) before = *std::move(after);
  }
}

Result<void> print_once(const View& view, const Sample& before) {
  if (wait_for_key(kRefresh, false) != kNoKey) return {};
  const auto after = take_sample(view);
  if (!after) return std::unexpected(after.error());
  fmt::print("{}", page(view, before, *after));
  return {};
}

}  // namespace

int top_command(const TopOptions& options) {
  View view{control_socket_path(options.socket), options.view, options.by};
  const bool terminal = ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDIN_FILENO) == 1;
  if (terminal) view.clients = Screen::rows();
  auto first = take_sample(view);
  if (!first) return complain(first.error().text);
  const auto done =
      terminal ? refresh_until_quit(std::move(view), *std::move(first)) : print_once(view, *first);
  return done ? kExitOk : complain(done.error().text);
}

}  // namespace castgate
