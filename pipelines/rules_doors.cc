// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>

#include "pipelines/rules.h"

namespace castgate {
namespace {

// False where anybody may come, or nothing is known.
bool is_beyond_loopback(RuleContext& rules, const std::string& path, const Endpoint& listen,
                        const std::vector<IpPrefix>& allow) {
  if (!rules.given(path + ".listen")) return false;
  if (listen.address.is_multicast()) {
    rules.error(path + ".listen", "is a group: name an address of this host, or 0.0.0.0");
  }
  if (listen.address.is_loopback()) return false;
  if (allow.empty() && !rules.bad(path + ".allow")) {
    rules.error(path,
                "listens beyond loopback: name who may come in allow:, as in allow: [10.9.0.0/16]");
  }
  return true;
}

// Can they not listen both? Every address is there in 0.0.0.0, and in [::].
bool meet(const Endpoint& one, const Endpoint& other) noexcept {
  if (one.udp_port != other.udp_port) return false;
  return one.address == other.address || one.address.is_unspecified() ||
         other.address.is_unspecified();
}

}  // namespace

void check_doors(RuleContext& rules) {
  const DoorsSpec& doors = rules.spec().doors;
  if (const auto& metrics = doors.metrics) {
    is_beyond_loopback(rules, "doors.metrics", metrics->listen, metrics->allow);
  }
  const auto& rest = doors.rest;
  if (!rest) return;
  const std::string path = "doors.rest";
  if (doors.metrics && rules.given(path + ".listen") && meet(rest->listen, doors.metrics->listen)) {
    rules.error(path + ".listen", fmt::format("doors.metrics listens at {} already",
                                              doors.metrics->listen.to_string()));
  }
  const bool is_open = is_beyond_loopback(rules, path, rest->listen, rest->allow);
  if (is_open && !rest->tokens.empty() && !rest->tls) {
    rules.error(path + ".tokens",
                "tokens travel only over TLS or loopback: give tls: {cert, key}, or listen on "
                "127.0.0.1");
  }
  const bool any_stream = std::ranges::any_of(
      rules.spec().streams, [](const StreamSpec& stream) { return !stream.unicasts.empty(); });
  if (!any_stream) {
    rules.warn(path, "no stream has a unicast output: nobody can join anything");
  }
}

}  // namespace castgate
