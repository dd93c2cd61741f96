// SPDX-License-Identifier: Apache-2.0
// The one table of counters: name, unit, field and meaning. `show`, `--json`, metrics and
// pipelines/reference.md are generated from it, so none of them can disagree.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/contract/snapshot.h"

namespace castgate {

enum class Unit : std::uint8_t { Packets, Bytes, Positions, Time, Count, State };

inline constexpr std::array<std::string_view, 6> kUnitNames{"packets",     "bytes", "positions",
                                                            "nanoseconds", "count", "state"};

// A sum since the start, or what is so now and may be less later.
enum class Measure : std::uint8_t { Sum, Now };

template <class Scope>
struct CounterInfo {
  std::string_view name;
  Unit unit;
  std::uint64_t Scope::* field;
  std::string_view meaning;
  Measure measure = Measure::Sum;
};

inline constexpr auto kLegCounters = std::to_array<CounterInfo<LegSnapshot>>({
    {"packets", Unit::Packets, &LegSnapshot::packets,
     "received for this leg, whatever became of them; sealed ones once they are opened"},
    {"bytes", Unit::Bytes, &LegSnapshot::bytes,
     "received for this leg, from the Ethernet header on; of sealed ones as opened"},
    {"lost", Unit::Positions, &LegSnapshot::lost,
     "this leg never delivered; counted once reordering by 64 can no longer explain it; "
     "fingerprint: what others brought, counted after 2 * max_skew"},
    {"reordered", Unit::Packets, &LegSnapshot::reordered,
     "came after a later position of this leg"},
    {"duplicate_same_leg", Unit::Packets, &LegSnapshot::duplicate_same_leg,
     "position that this leg had delivered before"},
    {"late", Unit::Packets, &LegSnapshot::late, "older than the merge window"},
    {"late_after_release", Unit::Packets, &LegSnapshot::late_after_release,
     "came after its position was given up: raise max_skew"},
    {"wild_sequence", Unit::Packets, &LegSnapshot::wild_sequence,
     "ahead or far off, and the leg did not go on from there"},
    {"other_epoch", Unit::Packets, &LegSnapshot::other_epoch, "of another epoch than the stream's"},
    {"malformed", Unit::Packets, &LegSnapshot::malformed, "carried no sequence position"},
    {"locked_out", Unit::Packets, &LegSnapshot::locked_out,
     "came while an operator had locked the leg out"},
    {"degraded", Unit::Packets, &LegSnapshot::degraded, "judged degraded (verify.mpeg_ts)"},
    {"corrupt", Unit::Packets, &LegSnapshot::corrupt,
     "with a wrong UDP checksum, kept in case no other comes (corrupt: use_if_only)"},
    {"payload_type", Unit::Packets, &LegSnapshot::payload_type, "of another RTP payload type"},
    {"not_ts", Unit::Packets, &LegSnapshot::not_ts, "payload was no MPEG-TS (verify.mpeg_ts)"},
    {"offset_learning", Unit::Packets, &LegSnapshot::offset_learning,
     "came while its numbers were not known, or in doubt (offset: auto)"},
    {"opened", Unit::Packets, &LegSnapshot::opened, "came sealed and were opened (open)"},
    {"forged", Unit::Packets, &LegSnapshot::forged,
     "did not authenticate: forged, damaged, or of another key (open)"},
    {"replayed", Unit::Packets, &LegSnapshot::replayed,
     "were opened before, or older than the replay window (open)"},
    {"open_malformed", Unit::Packets, &LegSnapshot::open_malformed,
     "were no whole packet of their profile, or had no padding of ESP (open)"},
    {"rtcp", Unit::Packets, &LegSnapshot::rtcp, "RTCP in the UDP port of SRTP (open)"},
    {"other_mki", Unit::Packets, &LegSnapshot::other_mki,
     "of a key that is not in key_file, as the MKI says (open)"},
    {"other_spi", Unit::Packets, &LegSnapshot::other_spi,
     "ESP in UDP with another SPI than the leg's (open)"},
    {"not_esp", Unit::Packets, &LegSnapshot::not_esp,
     "IKE or keepalives in the UDP port of ESP (open)"},
    {"esp_dummy", Unit::Packets, &LegSnapshot::esp_dummy, "ESP that carried nothing (open)"},
    {"inner_malformed", Unit::Packets, &LegSnapshot::inner_malformed,
     "had no whole, unfragmented UDP datagram inside ESP (open)"},
    {"other_selector", Unit::Packets, &LegSnapshot::other_selector,
     "had inside ESP what is for another destination, or of another source (open)"},
    {"ts_transport_errors", Unit::Count, &LegSnapshot::ts_transport_errors,
     "TS packets with transport_error_indicator"},
    {"ts_continuity_errors", Unit::Count, &LegSnapshot::ts_continuity_errors,
     "TS packets whose continuity_counter jumped though this leg lost nothing before them"},
    {"ts_pcr_errors", Unit::Count, &LegSnapshot::ts_pcr_errors,
     "PCRs that stepped back, or by more than 100 ms (TR 101 290 2.3b)"},
    {"content_mismatch", Unit::Packets, &LegSnapshot::content_mismatch,
     "bytes differ from the first copy of their position, among those compared"},
    {"selected", Unit::Positions, &LegSnapshot::selected,
     "left from this leg, where copies are not all alike (prefer, verdicts)"},
    {"rank", Unit::State, &LegSnapshot::rank, "how much it is preferred now: 0 is the most",
     Measure::Now},
    {"first_wins", Unit::Packets, &LegSnapshot::first_wins,
     "left the appliance from this leg, in 1 of 64 positions sampled"},
    {"skew_p50_ns", Unit::Time, &LegSnapshot::skew_p50_ns,
     "behind the first leg, median of the sampled positions", Measure::Now},
    {"skew_p99_ns", Unit::Time, &LegSnapshot::skew_p99_ns,
     "behind the first leg, 99th percentile of the sampled positions", Measure::Now},
    {"skew_max_ns", Unit::Time, &LegSnapshot::skew_max_ns,
     "behind the first leg, largest of the sampled positions", Measure::Now},
    {"jitter_ns", Unit::Time, &LegSnapshot::jitter_ns,
     "mean deviation of the time that 64 positions take (RFC 3550 A.8 smoothing)", Measure::Now},
    {"state_changes", Unit::Count, &LegSnapshot::state_changes, "changes between up and silent"},
});

inline constexpr auto kStreamCounters = std::to_array<CounterInfo<StreamSnapshot>>({
    {"forwarded", Unit::Positions, &StreamSnapshot::forwarded, "released by the merge"},
    {"redundant", Unit::Packets, &StreamSnapshot::redundant,
     "copies of positions already released"},
    {"recovered", Unit::Positions, &StreamSnapshot::recovered,
     "missing on a leg and released all the same, summed over the legs"},
    {"unrecovered", Unit::Positions, &StreamSnapshot::unrecovered,
     "given up: no leg delivered in time; without numbers (fingerprint) it cannot be known: 0"},
    {"gaps", Unit::Count, &StreamSnapshot::gaps, "runs of unrecovered positions"},
    {"gaps_both_lost", Unit::Count, &StreamSnapshot::gaps_both_lost,
     "closed since every live leg had passed"},
    {"gaps_deadline", Unit::Count, &StreamSnapshot::gaps_deadline, "closed at max_skew"},
    {"gaps_budget", Unit::Count, &StreamSnapshot::gaps_budget,
     "closed early: window or packet budget was full; fingerprint: payloads forgotten early"},
    {"gaps_restart", Unit::Count, &StreamSnapshot::gaps_restart, "closed by a new epoch"},
    {"gap_max", Unit::Positions, &StreamSnapshot::gap_max, "longest gap", Measure::Now},
    {"held", Unit::Packets, &StreamSnapshot::held, "kept behind a gap now", Measure::Now},
    {"held_max", Unit::Packets, &StreamSnapshot::held_max, "most ever kept at once", Measure::Now},
    {"hold_max_ns", Unit::Time, &StreamSnapshot::hold_max_ns,
     "longest time that a gap held packets", Measure::Now},
    {"degraded", Unit::Positions, &StreamSnapshot::degraded,
     "left degraded or corrupt: no leg had a good copy"},
    {"replaced", Unit::Packets, &StreamSnapshot::replaced, "kept, then let go for a better copy"},
    {"trimmed", Unit::Positions, &StreamSnapshot::trimmed,
     "messages cut off, since another packet had brought them"},
    {"switches", Unit::Count, &StreamSnapshot::switches, "changes of the preferred leg"},
    {"restarts", Unit::Count, &StreamSnapshot::restarts, "changes of epoch"},
    {"crypto_packets", Unit::Packets, &StreamSnapshot::crypto_packets,
     "encrypted, once for each key whatever the number of receivers (protect)"},
    {"not_sealed", Unit::Packets, &StreamSnapshot::not_sealed,
     "of protected outputs, dropped since they could not be encrypted: key_spent, nonce_used, ..."},
    {"epoch", Unit::State, &StreamSnapshot::epoch, "current epoch: SSRC", Measure::Now},
    {"window_positions", Unit::Positions, &StreamSnapshot::window_positions,
     "size of the merge window", Measure::Now},
    {"window_bytes", Unit::Bytes, &StreamSnapshot::window_bytes,
     "memory of the merge window, without packets", Measure::Now},
});

inline constexpr auto kOutputCounters = std::to_array<CounterInfo<OutputSnapshot>>({
    {"packets", Unit::Packets, &OutputSnapshot::packets, "handed to transmit"},
    {"bytes", Unit::Bytes, &OutputSnapshot::bytes,
     "handed to transmit, from the Ethernet header on"},
    {"drops", Unit::Packets, &OutputSnapshot::drops, "not sent: mtu, ttl_expired, copy_failed"},
});

inline constexpr auto kUnicastCounters = std::to_array<CounterInfo<UnicastSnapshot>>({
    {"clients", Unit::Count, &UnicastSnapshot::clients, "that are there now", Measure::Now},
    {"max_clients", Unit::Count, &UnicastSnapshot::max_clients, "most that may be there at a time",
     Measure::Now},
    {"packets", Unit::Packets, &UnicastSnapshot::packets, "handed to transmit, for all clients"},
    {"bytes", Unit::Bytes, &UnicastSnapshot::bytes,
     "handed to transmit for all clients, from the Ethernet header on"},
    {"drops", Unit::Packets, &UnicastSnapshot::drops,
     "clients' packets not sent: tx_full, mtu, no_neighbour, copy_failed, quota, ttl_expired"},
    {"backlog", Unit::Packets, &UnicastSnapshot::backlog,
     "of the stream that one worker's clients did not get: 64 before them waited there, or the "
     "ring or pool of a worker that helps (fan_workers) had no room; once for each worker"},
});

inline constexpr auto kPortCounters = std::to_array<CounterInfo<PortSnapshot>>({
    {"rx_packets", Unit::Packets, &PortSnapshot::rx_packets, "received"},
    {"rx_bytes", Unit::Bytes, &PortSnapshot::rx_bytes, "received, no FCS"},
    {"rx_missed", Unit::Packets, &PortSnapshot::rx_missed, "lost by the driver: receive ring full"},
    {"rx_no_buffer", Unit::Packets, &PortSnapshot::rx_no_buffer,
     "lost by the driver: packet pool empty"},
    {"rx_errors", Unit::Packets, &PortSnapshot::rx_errors, "refused by the device"},
    {"pool_empty", Unit::Count, &PortSnapshot::pool_empty,
     "times that the packet pool ran empty: packets wait in the device or are lost there"},
    {"ip_options", Unit::Packets, &PortSnapshot::ip_options, "had IPv4 options, parsed over"},
    {"punted", Unit::Packets, &PortSnapshot::punted, "handed to the host stack"},
    {"tx_packets", Unit::Packets, &PortSnapshot::tx_packets, "sent"},
    {"tx_bytes", Unit::Bytes, &PortSnapshot::tx_bytes, "sent, no FCS"},
    {"tx_linearised", Unit::Packets, &PortSnapshot::tx_linearised,
     "made one piece for a driver without multi-segment transmit"},
    {"link_flaps", Unit::Count, &PortSnapshot::link_flaps, "link changes seen"},
});

inline constexpr auto kWorkerCounters = std::to_array<CounterInfo<WorkerSnapshot>>({
    {"loops", Unit::Count, &WorkerSnapshot::loops, "turns of the poll loop"},
    {"busy_loops", Unit::Count, &WorkerSnapshot::busy_loops, "turns that found packets"},
    {"packets", Unit::Packets, &WorkerSnapshot::packets, "received or taken over"},
    {"streams", Unit::Count, &WorkerSnapshot::streams, "placed on this worker", Measure::Now},
    {"stalls", Unit::Count, &WorkerSnapshot::stalls, "heartbeats missed for over 20 ms"},
    {"capture_missed", Unit::Packets, &WorkerSnapshot::capture_missed,
     "copies that a capture wanted and its ring had no room for"},
});

inline constexpr auto kLedgerCounters = std::to_array<CounterInfo<Ledger>>({
    {"in", Unit::Packets, &Ledger::in, "taken from ports and from the host stack"},
    {"created", Unit::Packets, &Ledger::created, "copies that were made"},
    {"out", Unit::Packets, &Ledger::out, "given to ports and to the host stack"},
    {"dropped", Unit::Packets, &Ledger::dropped, "dropped, each with a reason"},
    {"held", Unit::Packets, &Ledger::held, "kept by a stage or between two", Measure::Now},
});

inline constexpr std::array<std::string_view, 8> kLegStateNames{
    "waiting", "up", "silent", "diverged", "degraded", "restoring", "locked_out", "learning"};

}  // namespace castgate
