// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replicate/client_roster.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>

#include "dataplane/contract/client_carry.h"

namespace castgate {
namespace {

// Written by the worker while it is read here.
std::uint32_t read(const std::uint32_t& counter) noexcept {
  return std::atomic_ref(const_cast<std::uint32_t&>(counter)).load(std::memory_order_relaxed);
}

// Both halves of one moment: the low one wraps between two reads of the high one at most once.
std::uint64_t read(const std::uint32_t& low, const std::uint32_t& high) noexcept {
  for (;;) {
    const std::uint32_t before = read(high);
    const std::uint32_t value = read(low);
    if (read(high) == before) return std::uint64_t{before} << 32 | value;
  }
}

HeaderTemplate headers_of(const ClientRoute& route, const ClientRoster::Output& output,
                          LongHeader& long_header) {
  const Destination destination{
      .next_hop = route.next_hop.value_or(MacAddress{}),
      .vlan = output.spec.vlan,
      .source = route.source,
      .source_port = output.source_port,
      .to = route.to,
      .ttl = output.spec.ttl,
      .dscp = output.spec.dscp,
      .port = output.spec.port,
      .mtu = route.mtu == 0 ? output.mtu : std::min<unsigned>(route.mtu, output.mtu)};
  HeaderTemplate made = make_headers(destination, output.mac, long_header);
  if (!route.next_hop) made.most_payload = 0;
  return made;
}

}  // namespace

ClientRoster::ClientRoster(const Spec& spec, std::span<Port* const> ports,
                           const ClientRoster* before)
    : vectors_(spec.streams.size()), outputs_(spec.streams.size()) {
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    vectors_[s].resize(fan_parts(spec.streams[s]));
    if (is_isolated(spec.streams[s])) make_ciphers();
    for (const UnicastSpec& unicast : spec.streams[s].unicasts) {
      add_output(s, unicast);
      Output& output = outputs_[s].emplace_back();
      output = {.stream = spec.streams[s].name,
                .spec = unicast,
                .mtu = spec.ports[unicast.port].mtu,
                .mac = ports[unicast.port]->facts().mac,
                .parts = std::vector<Slots>(unicast.fan_workers)};
      output.source_port =
          unicast.source_port != 0 ? unicast.source_port : spec.streams[s].legs[0].to.udp_port;
    }
    if (before != nullptr && s < before->outputs_.size()) take_over(s, *before);
  }
}

void ClientRoster::make_ciphers() {
  if (ciphers_) return;
  auto made = Ciphers::make();
  CG_CHECK(made.has_value());
  ciphers_ = std::make_unique<const Ciphers>(*std::move(made));
}

void ClientRoster::set_key(ClientChunk& chunk, unsigned at, const Output& output,
                           const ClientKey* key) const {
  if (!chunk.seals) return;
  CG_CHECK(key != nullptr);
  (*chunk.seals)[at].set(*ciphers_, output.spec.protect, *key);
}

// A vector in each part of the stream's, empty for ever where the output has fewer of them. Others
// have room for as many clients as a reload may ever allow.
void ClientRoster::add_output(std::size_t stream, const UnicastSpec& unicast) {
  unsigned part = 0;
  for (Vectors& vectors : vectors_[stream]) {
    const unsigned most = part++ < unicast.fan_workers ? ClientVector::kMost : 0;
    vectors.push_back(std::make_shared<ClientVector>(most, unicast.max_rate_bps != 0,
                                                     unicast.protect.is_isolated()));
  }
}

void ClientRoster::take_over(std::size_t stream, const ClientRoster& before) {
  const std::vector<Output>& olds = before.outputs_[stream];
  for (std::size_t u = 0; u < outputs_[stream].size(); ++u) {
    Output& own = outputs_[stream][u];
    const auto old = std::ranges::find_if(olds, [&](const Output& other) {
      return other.stream == own.stream && keeps_clients(other.spec, own.spec);
    });
    if (old == olds.end()) continue;
    own.parts = old->parts;
    const auto v = static_cast<std::size_t>(old - olds.begin());
    const std::size_t both = std::min(vectors_[stream].size(), before.vectors_[stream].size());
    for (std::size_t part = 0; part < both; ++part) {
      vectors_[stream][part][u] = before.vectors_[stream][part][v];
    }
  }
}

std::size_t ClientRoster::Output::clients() const noexcept {
  std::size_t sum = 0;
  for (const Slots& part : parts) sum += part.clients();
  return sum;
}

unsigned ClientRoster::next_part(const ClientRoute& route) const {
  const std::vector<Slots>& parts = output_of(route).parts;
  return static_cast<unsigned>(std::ranges::min_element(parts, {}, &Slots::clients) -
                               parts.begin());
}

Result<Command> ClientRoster::join(const ClientRoute& route, const ClientKey* key, unsigned part,
                                   std::uint64_t done) {
  Output& output = outputs_[route.stream][route.unicast];
  const unsigned most = output.spec.max_clients;
  Slots& slots = output.parts[part];
  while (!slots.leaving.empty() && slots.leaving.front().ticket <= done) {
    slots.free.push(slots.leaving.front().slot);
    slots.leaving.pop_front();
  }
  if (output.clients() >= most || (slots.free.empty() && slots.made >= most)) {
    return fail(fmt::format("{}.{}: {} clients are all that max_clients allows", output.stream,
                            output.spec.name, most));
  }
  const bool again = !slots.free.empty();
  const std::uint32_t slot = again ? slots.free.top() : slots.made++;
  if (again) slots.free.pop();
  ClientChunk& chunk = vectors_[route.stream][part][route.unicast]->prepare(slot);
  const unsigned at = slot % ClientChunk::kClients;
  chunk.rare[at] = {};
  if (chunk.used_until) (*chunk.used_until)[at] = 0;
  set_key(chunk, at, output, key);
  chunk.headers[at] = headers_of(route, output, chunk.rare[at].long_header);
  return Command{.kind = CommandKind::ClientJoin,
                 .client = {.place = {.stream = route.stream,
                                      .unicast = route.unicast,
                                      .slot = slot,
                                      .part = static_cast<std::uint16_t>(part)}}};
}

Command ClientRoster::leave(const ClientPlace& place, std::uint64_t ticket) {
  Output& output = outputs_[place.stream][place.unicast];
  output.parts[place.part].leaving.push_back({place.slot, ticket});
  return {.kind = CommandKind::ClientLeave, .client = {.place = place}};
}

Command ClientRoster::change(const ClientPlace& place, const ClientRoute& route) const {
  LongHeader whole;
  const HeaderTemplate made = headers_of(route, output_of(route), whole);
  return {.kind = CommandKind::ClientChange,
          .client = {.place = place,
                     .next_hop = route.next_hop.value_or(MacAddress{}),
                     .most_payload = made.most_payload}};
}

ClientCounters ClientRoster::counters(const ClientPlace& place) const {
  ClientChunk& chunk = vectors_[place.stream][place.part][place.unicast]->prepare(place.slot);
  const unsigned at = place.slot % ClientChunk::kClients;
  const HeaderTemplate& headers = chunk.headers[at];
  const ClientChunk::Rare& rare = chunk.rare[at];
  ClientCounters counters;
  counters.packets = read(headers.packets, rare.packets_high);
  counters.bytes = read(headers.bytes, rare.bytes_high);
  for (std::size_t d = 0; d < rare.drops.size(); ++d) counters.drops[d] = read(rare.drops[d]);
  if (chunk.seals) {
    const ClientSeal& seal = (*chunk.seals)[at];
    counters.sealed = seal.taken();
    counters.drops[static_cast<std::size_t>(ClientDrop::NotSealed)] = read(seal.drops());
  }
  return counters;
}

std::optional<SentPacket> ClientRoster::find_sent(const ClientPlace& place,
                                                  const QuotedPacket& quote, Instant now) const {
  ClientVector& clients = *vectors_[place.stream][place.part][place.unicast];
  const ClientChunk& chunk = clients.prepare(place.slot);
  const HeaderTemplate& headers = chunk.headers[place.slot % ClientChunk::kClients];
  return clients.sent().find(quote, headers.pseudo_sum, headers.is_v6, now);
}

}  // namespace castgate
