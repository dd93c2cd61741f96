// SPDX-License-Identifier: Apache-2.0
// Counters as one moment shows them: plain numbers, summed over workers by the control thread. The
// tables in counters.h name every field for `show`, metrics and the reference.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/base/failover/skew_histogram.h"
#include "dataplane/contract/drop_reason.h"

namespace castgate {

enum class LegState : std::uint8_t {
  Waiting,
  Up,
  Silent,
  Diverged,
  Degraded,
  Restoring,
  LockedOut,
  Learning
};

// Does the leg bring what the stream may use?
constexpr bool is_up(LegState state) noexcept {
  return state == LegState::Up || state == LegState::Degraded || state == LegState::Restoring;
}

struct LegSnapshot {
  std::string name;
  LegState state = LegState::Waiting;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;
  std::uint64_t reordered = 0;
  std::uint64_t duplicate_same_leg = 0;
  std::uint64_t late = 0;
  std::uint64_t late_after_release = 0;
  std::uint64_t wild_sequence = 0;
  std::uint64_t other_epoch = 0;
  std::uint64_t malformed = 0;
  std::uint64_t locked_out = 0;
  std::uint64_t degraded = 0;
  std::uint64_t corrupt = 0;
  std::uint64_t payload_type = 0;
  std::uint64_t not_ts = 0;
  std::uint64_t offset_learning = 0;
  std::uint64_t opened = 0;
  std::uint64_t forged = 0;
  std::uint64_t replayed = 0;
  std::uint64_t open_malformed = 0;
  std::uint64_t rtcp = 0;
  std::uint64_t other_mki = 0;
  std::uint64_t other_spi = 0;
  std::uint64_t not_esp = 0;
  std::uint64_t esp_dummy = 0;
  std::uint64_t inner_malformed = 0;
  std::uint64_t other_selector = 0;
  std::uint64_t ts_transport_errors = 0;
  std::uint64_t ts_continuity_errors = 0;
  std::uint64_t ts_pcr_errors = 0;
  std::uint64_t content_mismatch = 0;
  std::uint64_t selected = 0;
  std::uint64_t rank = 0;
  std::uint64_t first_wins = 0;
  std::uint64_t skew_p50_ns = 0;
  std::uint64_t skew_p99_ns = 0;
  std::uint64_t skew_max_ns = 0;
  std::uint64_t jitter_ns = 0;
  std::uint64_t state_changes = 0;
  std::optional<std::int64_t> offset;  // added to its numbers, where that is asked for and known
  SkewHistogram skew;                  // behind the first leg, of the sampled positions
};

struct OutputSnapshot {
  std::string name;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t drops = 0;
};

// Of a unicast output, summed over all that were its clients.
struct UnicastSnapshot {
  std::string name;
  std::uint64_t clients = 0;      // now
  std::uint64_t max_clients = 0;  // at a time
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t drops = 0;
  std::uint64_t backlog = 0;
};

struct StreamSnapshot {
  std::string name;
  std::vector<LegSnapshot> legs;
  std::vector<OutputSnapshot> outputs;
  std::vector<UnicastSnapshot> unicasts;
  std::uint64_t forwarded = 0;
  std::uint64_t redundant = 0;
  std::uint64_t recovered = 0;
  std::uint64_t unrecovered = 0;
  std::uint64_t gaps = 0;
  std::uint64_t gaps_both_lost = 0;
  std::uint64_t gaps_deadline = 0;
  std::uint64_t gaps_budget = 0;
  std::uint64_t gaps_restart = 0;
  std::uint64_t gap_max = 0;  // positions
  std::uint64_t held = 0;
  std::uint64_t held_max = 0;
  std::uint64_t hold_max_ns = 0;
  std::uint64_t degraded = 0;
  std::uint64_t replaced = 0;
  std::uint64_t trimmed = 0;
  std::uint64_t switches = 0;
  std::uint64_t restarts = 0;
  std::uint64_t crypto_packets = 0;
  std::uint64_t not_sealed = 0;
  std::uint64_t epoch = 0;
  std::uint64_t window_positions = 0;
  std::uint64_t window_bytes = 0;
};

struct PortSnapshot {
  std::string name;
  std::string device;
  bool link_up = false;
  std::uint64_t link_flaps = 0;
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_missed = 0;     // by the driver: ring full
  std::uint64_t rx_no_buffer = 0;  // by the driver: packet pool empty
  std::uint64_t rx_errors = 0;
  std::uint64_t pool_empty = 0;  // times that reception found no packet buffer
  std::uint64_t ip_options = 0;  // packets with IPv4 options, parsed over
  std::uint64_t punted = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_linearised = 0;
  MacAddress mac;
  std::string reception;  // how multicast is received: mc_addr_list, allmulticast, promiscuous
  DropCounts drops{};     // classify, punt and transmit
};

struct WorkerSnapshot {
  unsigned core = 0;
  std::uint64_t loops = 0;
  std::uint64_t busy_loops = 0;
  std::uint64_t packets = 0;
  std::uint64_t streams = 0;
  std::uint64_t stalls = 0;
  std::uint64_t capture_missed = 0;
  std::int64_t last_beat_ns = 0;
};

// in + created = out + dropped + held, over every worker: packets taken from ports and copies made
// against packets given to drivers, drops by name and packets still kept.
struct Ledger {
  std::uint64_t in = 0;
  std::uint64_t created = 0;
  std::uint64_t out = 0;
  std::uint64_t dropped = 0;
  std::uint64_t held = 0;
  bool balances() const noexcept { return in + created == out + dropped + held; }
};

struct Snapshot {
  std::vector<PortSnapshot> ports;
  std::vector<StreamSnapshot> streams;
  std::vector<WorkerSnapshot> workers;
  DropCounts drops{};
  Ledger ledger;
};

}  // namespace castgate
