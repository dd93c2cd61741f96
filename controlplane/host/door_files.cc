// SPDX-License-Identifier: Apache-2.0
#include "controlplane/host/door_files.h"

#include "controlplane/clients/doors/tokens.h"
#include "controlplane/http/tls_files.h"

namespace castgate {

std::vector<HostComplaint> check_door_files(const DoorsSpec& doors) {
  std::vector<HostComplaint> found;
  if (!doors.rest) return found;
  if (!doors.rest->tokens.empty()) {
    if (const auto tokens = Tokens::read(doors.rest->tokens); !tokens)
      found.push_back({.key = "doors.rest.tokens", .what = tokens.error().text});
  }
  if (doors.rest->tls) {
    const TlsSpec& tls = *doors.rest->tls;
    if (const auto opened = open_tls(tls); !opened) {
      const std::string& what = opened.error().text;
      const bool of_cert = tls.cert != tls.key && what.starts_with(tls.cert + ":");
      found.push_back(
          {.key = of_cert ? "doors.rest.tls.cert" : "doors.rest.tls.key", .what = what});
    }
  }
  return found;
}

}  // namespace castgate
