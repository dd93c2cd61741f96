// SPDX-License-Identifier: Apache-2.0
// The REST door: clients that join, renew and leave.
#include <algorithm>
#include <fmt/format.h>

#include "controlplane/clients/client_route.h"
#include "controlplane/clients/doors/rest_door.h"

namespace castgate {
namespace {

const UnicastSpec& unicast_of(const Spec& spec, const ClientRoute& route) {
  return spec.streams[route.stream].unicasts[route.unicast];
}

std::string full_name(const Spec& spec, const ClientRoute& route) {
  const StreamSpec& stream = spec.streams[route.stream];
  return fmt::format("{}.{}", stream.name, stream.unicasts[route.unicast].name);
}

std::string location_of(std::string_view stream, const ClientId& id) {
  return fmt::format("/v1/streams/{}/clients/{}", stream, id.to_string());
}

}  // namespace

bool RestDoor::same_stream(const RestPath& path, const JoinOrder& order) {
  return order.output == path.stream || order.output.starts_with(path.stream + ".");
}

const ClientEntry* RestDoor::find(const RestPath& path) const {
  for (const ClientEntry* client : parts_.clients.find(path.id)) {
    if (names_output(path.stream, client->name->stream, client->name->output)) return client;
  }
  return nullptr;
}

void RestDoor::put(std::string& text, const ClientEntry& client) const {
  put_rest_client(text, parts_.spec,
                  {.client = client,
                   .left = parts_.clients.left_of(client, parts_.now()),
                   .counters = parts_.clients.counters(client),
                   .mtu = parts_.clients.mtu_of(client),
                   .state = "active"});
}

HttpResponse RestDoor::tell(unsigned status, const ClientEntry& client) const {
  HttpResponse answer{.status = status, .body = {}, .headers = {}};
  put(answer.body, client);
  answer.body += '\n';
  if (status == 201) {
    const std::string stream = client.name->stream + "." + client.name->output;
    answer.headers.emplace_back("Location", location_of(stream, client.id));
  }
  return answer;
}

HttpResponse RestDoor::tell_all(unsigned status, const ClientEntry& client,
                                const Peer& peer) const {
  HttpResponse answer = tell(status, client);
  const SharedClientKey key = peer.may_hear_keys ? parts_.clients.key_for(client) : nullptr;
  if (!key) return answer;
  answer.secret = true;
  answer.body.resize(answer.body.size() - 2);  // }, end of line
  put_client_key(answer.body, unicast_of(parts_.spec, client.route).protect, *key,
                 parts_.clients.counters(client).sealed);
  return answer;
}

HttpResponse RestDoor::tell_waiting(unsigned status, const Proofs::Waiting& waiting) {
  const auto route = parts_.clients.way_to(waiting.order.output, waiting.order.client);
  if (!route) return refuse(route.error());
  const StreamSpec& stream = parts_.spec.streams[route->stream];
  const OutputName name{stream.name, stream.unicasts[route->unicast].name};
  const ClientEntry shown{.id = waiting.id,
                          .name = &name,
                          .door = "rest",
                          .route = *route,
                          .lease = waiting.order.lease};
  const Nanoseconds left = std::max(waiting.ends - parts_.now(), Nanoseconds{0});
  HttpResponse answer{.status = status, .body = {}, .headers = {}};
  put_rest_client(answer.body, parts_.spec,
                  {.client = shown,
                   .left = left,
                   .counters = {},
                   .mtu = parts_.clients.mtu_of(shown),
                   .state = "unproved"});
  answer.body += '\n';
  if (status == 202) {
    answer.headers.emplace_back("Location", location_of(waiting.order.output, shown.id));
  }
  return answer;
}

// What the body asks for that its peer may not have.
std::optional<HttpResponse> RestDoor::judge_join(const JoinBody& body, const Endpoint& client,
                                                 const Peer& peer) {
  if (!peer.is_admin && !own_.allow.empty() && !may_come(client.address, own_.allow)) {
    return refuse(403, &DoorCounters::forbidden,
                  fmt::format("{} is not in doors.rest.allow", client.address.to_string()));
  }
  if (!peer.is_admin && !body.proof && client.address != peer.address) {
    return refuse(403, &DoorCounters::forbidden,
                  fmt::format("{} is not your address, {}: ask with \"proof\": true, and bring "
                              "back the nonce that comes there",
                              client.address.to_string(), peer.address.to_string()));
  }
  return {};
}

// Who listens on the way would have what is for this client alone.
std::optional<HttpResponse> RestDoor::judge_keys(const ClientRoute& route, const Peer& peer) {
  if (peer.may_hear_keys || !unicast_of(parts_.spec, route).protect.is_isolated()) return {};
  return refuse(403, &DoorCounters::forbidden,
                fmt::format("each client of {} has a key of its own, which is told over TLS or on "
                            "loopback alone: ask by https (doors.rest.tls)",
                            full_name(parts_.spec, route)));
}

// A further stream under an id that is there.
std::optional<HttpResponse> RestDoor::judge_id(const JoinOrder& order, const ClientId& id) {
  const ClientEntry* there = find({.stream = order.output, .id = id});
  if (there != nullptr && there->route.to != order.client) {
    return refuse(409, &DoorCounters::conflict,
                  fmt::format("this client has {} at {} already: let it leave there first",
                              order.output, there->route.to.to_string()));
  }
  if (there == nullptr && parts_.clients.find(id).empty()) {
    return refuse(404, &DoorCounters::not_found,
                  fmt::format("no client {} is here", id.to_string()));
  }
  return {};
}

HttpResponse RestDoor::join(const RestPath& path, std::string_view text, const Peer& peer) {
  const auto body = read_join_body(text);
  if (!body) return refuse(400, &DoorCounters::bad_request, body.error().text);
  if (parts_.redirect) {
    if (const auto other = parts_.redirect(path.stream, peer.address)) {
      HttpResponse answer = problem(307, "another appliance serves this client");
      answer.headers.emplace_back("Location", *other);
      return answer;
    }
  }
  const Endpoint client{body->address.value_or(peer.address), body->udp_port};
  if (auto refused = judge_join(*body, client, peer)) return *std::move(refused);
  const auto route = parts_.clients.way_to(path.stream, client);
  if (!route) return refuse(route.error());
  if (auto refused = judge_keys(*route, peer)) return *std::move(refused);

  JoinOrder order{
      .output = full_name(parts_.spec, *route),
      .client = client,
      .id = body->client,
      .door = "rest",
      .lease = own_.lease,
      .ttl_seen = client.address == peer.address ? parts_.ttl_of(peer.address) : std::uint8_t{0},
      .most_of_address = own_.clients_per_address};
  if (const auto& id = body->client) {
    if (auto refused = judge_id(order, *id)) return *std::move(refused);
  }
  if (body->proof) return prove_first(std::move(order), peer.address);
  if (!peer.is_admin) {
    order.lease = std::min(order.lease, Nanoseconds(kFirstLease));
    order.most_of_address = 1;
  }
  return admit(order, false, peer);
}

HttpResponse RestDoor::prove_first(JoinOrder order, const IpAddress& peer) {
  const Proofs::Waiting* waiting = proofs_.ask(std::move(order), peer, parts_.now());
  if (waiting == nullptr) {
    return refuse(503, &DoorCounters::no_place,
                  "too many clients prove their addresses at this moment, or this one does so for "
                  "another stream");
  }
  return tell_waiting(202, *waiting);
}

// Whoever proved an address may have what is there already.
HttpResponse RestDoor::admit(const JoinOrder& order, bool is_proved, const Peer& peer) {
  const auto joined = parts_.clients.join(order, parts_.now());
  if (!joined) return refuse(joined.error());
  if (!joined->is_new) return tell_all(200, *joined->client, peer);
  ++parts_.counters.joins;
  return tell_all(is_proved ? 200 : 201, *joined->client, peer);
}

HttpResponse RestDoor::renew(const ClientEntry& client, const Peer& peer) {
  parts_.clients.renew(client, own_.lease, parts_.now());
  ++parts_.counters.renewals;
  return tell_all(200, client, peer);
}

HttpResponse RestDoor::renew_waiting(const Proofs::Waiting& waiting, std::string_view nonce,
                                     const Peer& peer) {
  if (nonce.empty()) return tell_waiting(200, waiting);
  const ClientId id = waiting.id;
  const auto order = proofs_.prove(id, nonce);
  if (!order) return problem(403, "this is not the nonce that was sent there");  // counted
  return admit(*order, true, peer);
}

HttpResponse RestDoor::leave(const ClientEntry& client) {
  if (!parts_.clients.leave(client)) {
    return refuse({ClientFault::Busy, "the worker is busy; try again"});
  }
  ++parts_.counters.leaves;
  return {.status = 204, .body = {}, .headers = {}};
}

// Where ?after= is: a mark holds when its client has left, an id does not. An id of several outputs
// is its first.
std::optional<ClientPosition> RestDoor::position_of(const RestPath& path) const {
  if (const auto marked = read_page_mark(path.after)) return marked;
  const auto id = ClientId::parse(path.after);
  if (!id) return std::nullopt;
  std::optional<ClientPosition> first;
  for (const ClientEntry* client : parts_.clients.find(*id)) {
    if (!names_output(path.stream, client->name->stream, client->name->output)) continue;
    const ClientPosition position{*client->name, client->route.to};
    if (!first || position < *first) first = position;
  }
  return first;
}

// By output and address; the next page is asked for with ?after= what `next` of this one says.
HttpResponse RestDoor::list(const RestPath& path, const Peer& peer) {
  if (!peer.is_admin) {
    return refuse(403, &DoorCounters::forbidden,
                  "all clients are shown to loopback, or to a token with the word admin");
  }
  const bool known = std::ranges::any_of(parts_.spec.streams, [&](const StreamSpec& stream) {
    return std::ranges::any_of(stream.unicasts, [&](const UnicastSpec& unicast) {
      return names_output(path.stream, stream.name, unicast.name);
    });
  });
  if (!known) return refuse({ClientFault::Unknown, fmt::format("no stream {}", path.stream)});
  const auto after = position_of(path);
  if (!after && !path.after.empty()) {
    return refuse({ClientFault::Unknown,
                   "after: no such client is here any more; ask with what `next` of a page says"});
  }
  const ClientTable::Page page = parts_.clients.page(path.stream, after, path.limit);
  std::string shown;
  for (const ClientEntry* client : page.clients) {
    if (!shown.empty()) shown += ',';
    put(shown, *client);
  }
  const std::string next =
      page.more ? fmt::format(R"(,"next":"{}")", page_mark(*page.clients.back())) : "";
  return {.status = 200,
          .body = fmt::format(R"({{"clients":[{}],"more":{}{}}})", shown, page.more, next) + '\n',
          .headers = {}};
}

HttpResponse RestDoor::groups(const ClientId& id) {
  std::string groups;
  for (const ClientEntry* client : parts_.clients.find(id)) {
    if (!groups.empty()) groups += ',';
    put(groups, *client);
  }
  if (groups.empty()) {
    return refuse(404, &DoorCounters::not_found,
                  fmt::format("no client {} is here", id.to_string()));
  }
  return {.status = 200,
          .body = fmt::format(R"({{"id":"{}","groups":[{}]}})", id.to_string(), groups) + '\n',
          .headers = {}};
}

}  // namespace castgate
