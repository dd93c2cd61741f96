// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "controlplane/commands/commands.h"
#include "controlplane/conductor/control_client.h"
#include "controlplane/report/status_text.h"

namespace castgate {

int show_command(const ShowOptions& options) {
  const std::string what = options.what.empty() ? "all" : options.what;
  if (options.all && what != "alarms")
    return complain("--all is for alarms: castgate show alarms --all");
  if ((options.top != 0 || !options.by.empty()) && what != "clients")
    return complain("--top and --by are for clients: castgate show clients --top 20 --by drops");
  nlohmann::json request{{"show", what}};
  if (options.top != 0) request["top"] = options.top;
  if (!options.by.empty()) request["by"] = options.by;
  auto reply = ask_castgate(control_socket_path(options.socket), request);
  if (!reply) return complain(reply.error().text);
  if (what == "alarms" && !options.all) reply->erase("cleared");
  if (options.json) {
    fmt::print("{}\n", reply->dump(2));
    return kExitOk;
  }
  const auto text = status_text(*reply, what);
  if (!text) return complain(text.error().text);
  fmt::print("{}", *text);
  return kExitOk;
}

}  // namespace castgate
