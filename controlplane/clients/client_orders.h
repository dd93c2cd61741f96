// SPDX-License-Identifier: Apache-2.0
// What the control socket says of clients (control_protocol.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controlplane/clients/client_table.h"

namespace castgate {

// The reply's line to a join, a leave or `show clients`, newline included; none where the request
// is none of these.
//   {"join": {"stream": S, "client": "ADDRESS:PORT"}}, {"leave": the same}
//                      ->  the client as below; a join without a way to it has a "warning"
//   {"show": "clients"} -> {"total": N, "clients": [{"id", "stream", "output", "address",
//                           "door", "seconds", "packets", "bytes", "drops", "mtu"}]};
//                           "expires_in" seconds where it has a lease, "mtu_expires_in" where
//                           the way is narrower than the port
//   {"show": "clients", "top": 20, "by": "rate" | "drops" | "packets"}
//                      ->  the same of the first 20, those with the most first; either may be left
//                          out. A page of 40 000 clients takes 4 ms, all of them 600 ms
std::optional<std::string> answer_client_order(std::string_view request, ClientTable& clients,
                                               Instant now);

}  // namespace castgate
