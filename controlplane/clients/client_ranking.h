// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "controlplane/clients/client_table.h"

namespace castgate {

// Rate: bytes per second since the client joined. Drops and packets: since then as well.
enum class ClientRank : std::uint8_t { Rate, Drops, Packets };

inline constexpr std::array<std::string_view, 3> kClientRankNames{"rate", "drops", "packets"};

// Which clients are told: of many thousands an operator looks at a page.
struct ClientChoice {
  std::size_t top = SIZE_MAX;
  std::optional<ClientRank> by;  // none: in the order of the table
};

struct CountedClient {
  ClientEntry client;
  ClientCounters counters;
};

// The first that are chosen: those with the most first, those that are alike in the table's order.
std::vector<CountedClient> choose(const ClientTable& clients, const ClientChoice& choice,
                                  Instant now);

}  // namespace castgate
