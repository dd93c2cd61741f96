// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "controlplane/clients/client_entry.h"

namespace castgate {

// A client that did not leave of its own accord, for the event log.
struct ClientGone {
  OutputName name;
  Endpoint address;
  ClientId id;
  std::string_view door;    // as in ClientEntry
  std::string_view reason;  // "unreachable"
  Instant at;
};

}  // namespace castgate
