// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/path_errors.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "controlplane/clients/client_route.h"

namespace castgate {
namespace {

constexpr unsigned kUdp = 8;
constexpr unsigned kIp4 = 20;
constexpr unsigned kIp6 = 40;
constexpr std::uint16_t kLeast4 = 576;   // what every host takes (RFC 791)
constexpr std::uint16_t kLeast6 = 1280;  // what every link takes (RFC 8200)

// Routers of old name no MTU (RFC 1191 7): the next one that links have.
std::uint16_t plateau_below(unsigned packet) {
  for (const std::uint16_t mtu : std::to_array<std::uint16_t>({1492, 1006})) {
    if (mtu < packet) return mtu;
  }
  return kLeast4;
}

std::string name_of(const ClientEntry& client) {
  return fmt::format("{} of {}.{}", client.route.to.to_string(), client.name->stream,
                     client.name->output);
}

}  // namespace

const ClientEntry* PathErrors::client_of(const IcmpError& error) const {
  const auto there = clients_.find(error.client);
  const auto found = std::ranges::find_if(there, [&](const ClientEntry* client) {
    return source_of(spec_, client->route) == error.source;
  });
  return found == there.end() ? nullptr : *found;
}

bool PathErrors::take(std::span<const std::byte> frame, const Runtime& runtime, Instant now) {
  const auto error = icmp_error_in(frame);
  if (!error) return false;
  const ClientEntry* client = client_of(*error);
  if (client == nullptr) return false;
  if (looked_at_++ >= kErrorsPerTurn) {
    ++counters_.limited;
    return true;
  }
  const auto sent = runtime.find_sent(client->place, error->quote);
  if (sent) {
    judge(*client, *error, *sent, now);
  } else {
    ++counters_.forged;
    clients_.reports_of(*client).doubted_until = now + kDoubt;
  }
  return true;
}

// Who guesses checksums is wrong now and then, and not believed for a while.
void PathErrors::judge(const ClientEntry& client, const IcmpError& error, const SentPacket& sent,
                       Instant now) {
  if (!sent.certain && now < clients_.reports_of(client).doubted_until) {
    ++counters_.doubtful;
    return;
  }
  switch (error.kind) {
    case IcmpError::Kind::PortUnreachable:
      return count_unreachable(client, sent, now);
    case IcmpError::Kind::TooBig:
      return narrow(client, error, now);
    case IcmpError::Kind::Unreachable:
      ++counters_.other_unreachable;
  }
}

// A packet that is quoted twice counts once.
void PathErrors::count_unreachable(const ClientEntry& client, const SentPacket& sent, Instant now) {
  ++counters_.port_unreachable;
  PathReports& reports = clients_.reports_of(client);
  if (now - reports.first > kWithin) reports.count = 0;
  if (reports.count == 0) reports.first = now;
  const std::span known(reports.packets.data(), reports.count);
  if (std::ranges::find(known, sent.number) != known.end()) return;
  if (reports.count < reports.packets.size()) reports.packets[reports.count] = sent.number;
  if (++reports.count == kUnreachables) remove(client, now);
}

void PathErrors::remove(const ClientEntry& client, Instant now) {
  ClientGone gone{.name = *client.name,
                  .address = client.route.to,
                  .id = client.id,
                  .door = client.door,
                  .reason = "unreachable",
                  .at = now};
  std::string line = fmt::format("{}: gone, nobody listens there (unreachable)", name_of(client));
  if (clients_.leave(client)) {
    ++counters_.clients_removed;
    gone_.push_back(std::move(gone));
    return say(std::move(line));
  }
  if (std::ranges::find(stay_, &client) == stay_.end()) stay_.push_back(&client);
}

// What a router says of a packet that its way takes is no news, and an MTU is never raised so.
void PathErrors::narrow(const ClientEntry& client, const IcmpError& error, Instant now) {
  const bool v6 = !client.route.to.address.is_v4();
  const unsigned packet = error.quote.udp_length + (v6 ? kIp6 : kIp4);
  const std::uint16_t least = v6 ? kLeast6 : kLeast4;
  const std::uint16_t told = error.mtu == 0 && !v6 ? plateau_below(packet) : error.mtu;
  if (error.quote.udp_length < kUdp || told >= packet) {
    ++counters_.forged;
    return;
  }
  ++counters_.too_big;
  const std::uint16_t mtu = std::max(told, least);
  const unsigned before = clients_.mtu_of(client);
  if (mtu > before) return;
  clients_.set_mtu(client, mtu, now + kMtuLives);
  if (mtu == before) return;
  ++counters_.mtu_lowered;
  say(fmt::format("{}: packets over {} bytes do not get there, says {}", name_of(client), mtu,
                  error.reporter.to_string()));
}

void PathErrors::say(std::string line) {
  if (said_ < kLinesPerSecond) {
    ++said_;
    lines_.push_back(std::move(line));
  } else {
    ++unsaid_;
  }
}

void PathErrors::turn(Instant now) {
  looked_at_ = 0;
  for (const ClientEntry* client : std::exchange(stay_, {})) {
    const bool same = client->present && clients_.reports_of(*client).count >= kUnreachables;
    if (same) remove(*client, now);
  }
  if (now < next_second_) return;
  next_second_ = now + std::chrono::seconds(1);
  counters_.mtu_expired += clients_.forget_mtus(now);
  if (unsaid_ != 0) lines_.push_back(fmt::format("the same of {} more clients", unsaid_));
  said_ = 0;
  unsaid_ = 0;
}

}  // namespace castgate
