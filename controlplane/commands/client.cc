// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "controlplane/commands/commands.h"
#include "controlplane/conductor/control_client.h"
#include "controlplane/report/tell.h"

namespace castgate {

int client_command(const ClientOptions& options) {
  const nlohmann::json order{{"stream", options.stream}, {"client", options.client}};
  const char* word = options.leaves ? "leave" : "join";
  const auto reply = ask_castgate(control_socket_path(options.socket), {{word, order}});
  if (!reply) return complain(reply.error().text);
  if (const std::string warning = reply->value("warning", ""); !warning.empty()) {
    tell("warning: {}\n", warning);
  }
  if (options.json) {
    fmt::print("{}\n", reply->dump(2));
    return kExitOk;
  }
  const std::string where = fmt::format("{} {}.{}", reply->value("address", ""),
                                        reply->value("stream", ""), reply->value("output", ""));
  if (options.leaves) {
    fmt::print("{}: left after {} packets\n", where, reply->value("packets", std::uint64_t{0}));
  } else {
    fmt::print("{}: joined as {}\n", where, reply->value("id", ""));
  }
  return kExitOk;
}

}  // namespace castgate
