// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/clients/client_gone.h"
#include "controlplane/clients/client_table.h"
#include "controlplane/clients/icmp_error.h"
#include "dataplane/contract/icmp_counters.h"

namespace castgate {

// Judges what hosts and routers say of packets to clients. Only what quotes a packet that went to
// the client in the last two seconds counts. Three of them from a host where nobody listens: the
// client is gone. A router with a narrower way behind it: the client's MTU is lower for ten
// minutes.
class PathErrors {
 public:
  static constexpr unsigned kUnreachables = 3;
  static constexpr Nanoseconds kWithin = std::chrono::seconds(10);  // these three
  static constexpr Nanoseconds kDoubt = std::chrono::seconds(2);    // after a forged one
  static constexpr Nanoseconds kMtuLives = std::chrono::minutes(10);
  static constexpr unsigned kErrorsPerTurn = 8;  // some 20 us each where nothing fits
  static constexpr unsigned kLinesPerSecond = 10;

  PathErrors(const Spec& spec, ClientTable& clients) : spec_(spec), clients_(clients) {}

  // A frame that was punted. True where it is an error about a client, and so nobody else's.
  bool take(std::span<const std::byte> frame, const Runtime& runtime, Instant now);
  // Once a millisecond.
  void turn(Instant now);

  const IcmpCounters& counters() const noexcept { return counters_; }
  // Lines for the log since the last call.
  std::vector<std::string> take_lines() { return std::exchange(lines_, {}); }
  // Who was removed since the last call.
  std::vector<ClientGone> take_gone() { return std::exchange(gone_, {}); }

 private:
  const ClientEntry* client_of(const IcmpError& error) const;
  void judge(const ClientEntry& client, const IcmpError& error, const SentPacket& sent,
             Instant now);
  void count_unreachable(const ClientEntry& client, const SentPacket& sent, Instant now);
  void narrow(const ClientEntry& client, const IcmpError& error, Instant now);
  void remove(const ClientEntry& client, Instant now);
  void say(std::string line);

  const Spec& spec_;
  ClientTable& clients_;
  IcmpCounters counters_;
  unsigned looked_at_ = 0;                // this turn
  std::vector<const ClientEntry*> stay_;  // to be removed, but their worker was busy
  std::vector<std::string> lines_;
  std::vector<ClientGone> gone_;
  unsigned said_ = 0;    // this second
  unsigned unsaid_ = 0;  // likewise
  Instant next_second_;
};

}  // namespace castgate
