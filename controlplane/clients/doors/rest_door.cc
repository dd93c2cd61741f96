// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/doors/rest_door.h"

#include <fmt/format.h>
#include <utility>

#include "controlplane/slow_path/host_networks.h"

namespace castgate {

RestDoor::RestDoor(Parts parts, std::optional<Tokens> tokens)
    : parts_(std::move(parts)),
      own_(parts_.spec.doors.rest.value_or(RestDoorSpec{})),
      tokens_(std::move(tokens)),
      proofs_(parts_.send_proof, parts_.counters),
      rate_(own_.joins_per_second) {}

Result<std::unique_ptr<RestDoor>> RestDoor::open(boost::asio::io_context& io, Parts parts) {
  std::optional<Tokens> tokens;
  const RestDoorSpec own = parts.spec.doors.rest.value_or(RestDoorSpec{});
  if (!own.tokens.empty()) {
    auto read = Tokens::read(own.tokens);
    if (!read) return fail("doors.rest.tokens: " + read.error().text);
    tokens = *std::move(read);
  }
  auto door = std::make_unique<RestDoor>(std::move(parts), std::move(tokens));
  if (auto good = door->listen(io); !good) return fail("doors.rest: " + good.error().text);
  return door;
}

Result<void> RestDoor::listen(boost::asio::io_context& io) {
  HttpServer::Options options;
  options.listen = own_.listen;
  options.listens_here = !is_of_twin(parts_.spec, own_.listen.address);
  options.tls = own_.tls;
  options.admits = [this](const IpAddress& peer) { return may_come(peer, own_.allow); };
  options.refused = [this](unsigned status) { count_refusal(status); };
  auto server = HttpServer::open(io, std::move(options),
                                 [this](const HttpRequest& request) { return answer(request); });
  if (!server) return std::unexpected(server.error());
  server_ = *std::move(server);
  return {};
}

Result<void> RestDoor::listen_on_twins(const HttpServer::Within& within) {
  const IpAddress& own = own_.listen.address;
  if (!own.is_unspecified() && !is_of_twin(parts_.spec, own)) return {};
  auto good = server_->listen_within(within);
  return good ? good : fail("doors.rest: " + good.error().text);
}

Result<void> RestDoor::read_files_again() {
  if (!own_.tokens.empty()) {
    auto read = Tokens::read(own_.tokens);
    if (!read) return std::unexpected(read.error());
    tokens_ = *std::move(read);
  }
  return server_ ? server_->read_certificate_again() : Result<void>();
}

// Of what never became a request.
void RestDoor::count_refusal(unsigned status) {
  if (status == 403) {
    ++parts_.counters.forbidden;
  } else if (status == 503) {
    ++parts_.counters.crowded;
  } else {
    ++parts_.counters.bad_request;
  }
}

HttpResponse RestDoor::refuse(unsigned status, std::uint64_t DoorCounters::* counter,
                              std::string_view detail) {
  ++(parts_.counters.*counter);
  HttpResponse answer = problem(status, detail);
  if (status == 429 || status == 503) answer.headers.emplace_back("Retry-After", "1");
  if (status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

HttpResponse RestDoor::refuse(const ClientError& error) {
  switch (error.fault) {
    case ClientFault::Unknown:
      return refuse(404, &DoorCounters::not_found, error.text);
    case ClientFault::BadAddress:
      return refuse(400, &DoorCounters::bad_address, error.text);
    case ClientFault::Conflict:
      return refuse(409, &DoorCounters::conflict, error.text);
    case ClientFault::Quota:
      return refuse(429, &DoorCounters::quota, error.text);
    case ClientFault::NoPlace:
    case ClientFault::Busy:
      break;
  }
  return refuse(503, &DoorCounters::no_place, error.text);
}

HttpResponse RestDoor::wrong_method(const char* allowed) {
  HttpResponse answer =
      refuse(405, &DoorCounters::bad_request, fmt::format("this resource knows {}", allowed));
  answer.headers.emplace_back("Allow", allowed);
  return answer;
}

std::optional<HttpResponse> RestDoor::identify(const HttpRequest& request, Peer& peer) {
  peer.address = request.peer;
  peer.may_hear_keys = request.private_way;
  if (!tokens_) {
    peer.is_admin = request.peer.is_loopback();
    return {};
  }
  const auto token = read_bearer(request.authorization);
  const Tokens::Holder* holder = token && request.private_way ? tokens_->find(*token) : nullptr;
  if (holder == nullptr) {
    return refuse(401, &DoorCounters::auth_fail,
                  "ask with the header Authorization: Bearer TOKEN, one of doors.rest.tokens");
  }
  peer.is_admin = holder->is_admin;
  return {};
}

HttpResponse RestDoor::answer(const HttpRequest& request) {
  const auto path = read_rest_path(request.target);
  if (!path) {
    return refuse(404, &DoorCounters::not_found,
                  "there is nothing here; /v1/openapi.json says what there is");
  }
  Peer peer;
  const bool is_open =
      path->resource == RestResource::Description || path->resource == RestResource::Health;
  if (auto refused = is_open ? std::nullopt : identify(request, peer)) return *std::move(refused);
  if (!request.peer.is_loopback() && !peer.is_admin && request.method != "GET" &&
      !rate_.allows(request.peer, parts_.now())) {
    return refuse(429, &DoorCounters::rate, "too many requests a second");
  }
  return serve(*path, request, peer);
}

HttpResponse RestDoor::serve(const RestPath& path, const HttpRequest& request, const Peer& peer) {
  const bool gets = request.method == "GET" || request.method == "HEAD";
  switch (path.resource) {
    case RestResource::Description:
      if (!gets) return wrong_method("GET");
      return {.status = 200, .body = std::string(rest_description()), .headers = {}};
    case RestResource::Health:
      if (!gets) return wrong_method("GET");
      return {.status = 204, .body = {}, .headers = {}};
    case RestResource::Streams:
      if (!gets) return wrong_method("GET");
      return {.status = 200,
              .body = rest_line(rest_streams(parts_.spec, parts_.clients)),
              .headers = {}};
    case RestResource::StreamClients:
      if (gets) return list(path, peer);
      if (request.method != "POST") return wrong_method("GET, POST");
      return join(path, request.body, peer);
    case RestResource::StreamClient:
      return serve_client(path, request, peer);
    case RestResource::Client:
      break;
  }
  return gets ? groups(path.id) : wrong_method("GET");
}

HttpResponse RestDoor::serve_client(const RestPath& path, const HttpRequest& request,
                                    const Peer& peer) {
  const bool gets = request.method == "GET" || request.method == "HEAD";
  const bool puts = request.method == "PUT";
  if (!gets && !puts && request.method != "DELETE") return wrong_method("GET, PUT, DELETE");
  RenewBody body;
  if (puts) {
    auto read = read_renew_body(request.body);
    if (!read) return refuse(400, &DoorCounters::bad_request, read.error().text);
    body = *std::move(read);
  }
  const Proofs::Waiting* waiting = proofs_.find(path.id);
  if (waiting != nullptr && same_stream(path, waiting->order)) {
    if (gets) return tell_waiting(200, *waiting);
    if (puts) return renew_waiting(*waiting, body.nonce, peer);
    proofs_.forget(path.id);
    return {.status = 204, .body = {}, .headers = {}};
  }
  const ClientEntry* client = find(path);
  if (client == nullptr) {
    return refuse(404, &DoorCounters::not_found,
                  fmt::format("no client {} of {} is here; it left, or its lease ended: join anew",
                              path.id.to_string(), path.stream));
  }
  if (gets) return tell(200, *client);
  return puts ? renew(*client, peer) : leave(*client);
}

}  // namespace castgate
