// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "controlplane/commands/commands.h"
#include "controlplane/conductor/control_client.h"

namespace castgate {

int leg_command(const LegOptions& options) {
  const nlohmann::json order{
      {"stream", options.stream}, {"leg", options.leg}, {"action", options.action}};
  const auto reply = ask_castgate(control_socket_path(options.socket), {{"leg", order}});
  if (!reply) return complain(reply.error().text);
  if (options.json)
    fmt::print("{}\n", reply->dump(2));
  else
    fmt::print("{} leg {}: {}\n", options.stream, options.leg, options.action);
  return kExitOk;
}

}  // namespace castgate
