// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controlplane/node/leg_socket.h"
#include "controlplane/node/packet_sink.h"
#include "controlplane/node/receive.h"
#include "controlplane/node/relay_opener.h"
#include "controlplane/node/relay_session.h"
#include "dataplane/base/error.h"

namespace castgate {

// What the options come to: everything open, nobody asked yet.
struct ReceivePlan {
  std::vector<RelaySession::Config> relays;
  std::vector<std::unique_ptr<LegSocket>> sockets;    // one for each relay
  std::vector<std::unique_ptr<RelayOpener>> openers;  // likewise; none: nothing comes sealed
  std::unique_ptr<PacketSink> sink;
  std::string token;
  bool media = false;
  std::vector<std::string> warnings;
};

Result<ReceivePlan> plan_reception(const ReceiveOptions& options);

// One for each relay, as --open says it, with the keys that are in its files now; none where it
// says nothing.
Result<std::vector<std::unique_ptr<RelayOpener>>> make_openers(const std::vector<std::string>& how,
                                                               std::size_t relays);

// For the key that the relay told with `client`; null where it told none, or the one of `before`.
// An error where there are others as well: it numbers packets for us alone, and merges with nobody.
Result<std::unique_ptr<RelayOpener>> opener_of(const RelayClient& client,
                                               const std::optional<RelayClient>& before,
                                               bool are_others);

// One line of visible characters, in a file that not everybody may read.
Result<std::string> read_token(const std::string& path);

}  // namespace castgate
