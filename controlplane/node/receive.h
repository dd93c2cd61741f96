// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/instant.h"

namespace castgate {

inline constexpr int kExitOk = 0;
inline constexpr int kExitBadUse = 2;    // options, files: nothing was tried
inline constexpr int kExitNothing = 3;   // no relay took us, or none sent anything
inline constexpr int kExitNoOutput = 4;  // what was received could not be written

struct ReceiveOptions {
  std::vector<std::string> relays;  // rest://HOST[:PORT]/STREAM
  std::string to = "-";
  std::string listen;      // ADDRESS:PORT; empty: any
  std::string token_file;  // empty: no token
  std::string ca_file;     // empty: the system's authorities
  Nanoseconds max_skew{50'000'000};
  Nanoseconds patience{30'000'000'000};  // until the first packet
  double seconds = 0;                    // from the first packet; 0: for ever
  std::uint64_t packets = 0;             // 0: any number
  unsigned buffer = 16 << 20;            // bytes, of each socket
  std::string payload;                   // whole or media; empty: as suits the output
  std::vector<std::string> open;         // how packets are sealed: none, one for all, one for each
  bool stock = false;                    // join as a receiver that cannot prove its address
  bool progress = false;                 // also where stderr is no terminal
  bool json = false;
};

// Until the asked amount came or a signal ends it; the exit code.
int receive_command(const ReceiveOptions& options);

// Says `castgate-node: …` on stderr and returns kExitBadUse.
int complain_of_use(const std::string& text);

}  // namespace castgate
