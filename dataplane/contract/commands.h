// SPDX-License-Identifier: Apache-2.0
// What the control plane asks of the workers, as plain values that fit a ring.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/base/failover/leg_action.h"
#include "dataplane/contract/clients.h"

namespace castgate {

inline constexpr std::array<std::string_view, 4> kLegActionNames{"lockout", "forced", "manual",
                                                                 "clear"};

struct LegCommand {
  std::uint16_t stream = 0;  // index into Spec::streams
  std::uint8_t leg = 0;      // index into StreamSpec::legs
  LegAction action = LegAction::Clear;
};

enum class CaptureStage : std::uint8_t { Rx, Classify, Failover, Restamp, Transmit, Drops };

inline constexpr std::array<std::string_view, 6> kCaptureStageNames{
    "rx", "classify", "failover", "restamp", "transmit", "drops"};

inline constexpr std::uint8_t kAllCaptureStages = (1u << kCaptureStageNames.size()) - 1;

// Which packets are copied, and how much of each.
struct CaptureStart {
  static constexpr std::uint16_t kAny = UINT16_MAX;

  std::uint8_t stages = 0;      // bit per CaptureStage
  std::uint16_t stream = kAny;  // index into Spec::streams
  std::uint16_t port = kAny;    // index into Spec::ports
  std::uint32_t snaplen = UINT32_MAX;
  bool clear = false;        // payloads of sealed streams as well
  std::uint16_t number = 0;  // given by the runtime: which capture a copied packet is of
};

// What becomes of a client whose headers are in place.
struct ClientCommand {
  ClientPlace place;
  MacAddress next_hop;             // ClientChange
  std::uint16_t most_payload = 0;  // ClientChange: UDP payload; 0: no way to it is known
};

enum class CommandKind : std::uint8_t {
  Leg,
  CaptureStart,
  CaptureStop,
  ClientJoin,
  ClientLeave,
  ClientChange
};

struct Command {
  CommandKind kind = CommandKind::CaptureStop;
  LegCommand leg;
  CaptureStart capture;
  ClientCommand client;
};

}  // namespace castgate
