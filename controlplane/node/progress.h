// SPDX-License-Identifier: Apache-2.0
// What a person or a program is told while a stream is received.
#pragma once

#include <string>
#include <vector>

#include "controlplane/node/receiver.h"
#include "controlplane/node/relay_session.h"

namespace castgate {

struct RelayProgress {
  std::string name;
  RelaySession::State state = RelaySession::State::Away;
  std::string complaint;
  bool silent = false;  // active, and nothing came since the last line
  std::uint64_t joins = 0;
};

struct Progress {
  ReceiverSums sums;
  std::vector<RelayProgress> relays;
  double seconds = 0;  // since the first packet
  double rate_bps = 0;
  double rate_pps = 0;
  bool last = false;
};

std::string progress_line(const Progress& progress);
std::string summary_text(const Progress& progress);  // several lines
std::string progress_json(const Progress& progress);

}  // namespace castgate
