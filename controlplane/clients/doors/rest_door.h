// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "controlplane/clients/client_table.h"
#include "controlplane/clients/doors/proofs.h"
#include "controlplane/clients/doors/rate_limit.h"
#include "controlplane/clients/doors/rest_text.h"
#include "controlplane/clients/doors/tokens.h"
#include "controlplane/http/http_server.h"

namespace castgate {

// Clients that join by HTTP and JSON: /v1/openapi.json describes it. An address that is not the
// asking peer's proves itself before anything flows there; a peer that cannot bring back a proof
// gets one stream at its own address, on a short lease that its first renewal makes a whole one.
class RestDoor {
 public:
  static constexpr Nanoseconds kFirstLease = std::chrono::seconds(15);  // of who proved nothing

  struct Parts {
    const Spec& spec;  // what runs
    ClientTable& clients;
    DoorCounters& counters;
    Proofs::Sender send_proof;
    std::function<Instant()> now;
    std::function<std::uint8_t(const IpAddress& peer)> ttl_of;  // 0: not known
    // The URL of the appliance that is to serve this peer; nothing: we are.
    std::function<std::optional<std::string>(const std::string& stream, const IpAddress& peer)>
        redirect;
  };

  // Spec with doors.rest.
  static Result<std::unique_ptr<RestDoor>> open(boost::asio::io_context& io, Parts parts);

  // On the twins of ports, too, which are not among this host's interfaces: where it listens on an
  // address of theirs, or on every address.
  Result<void> listen_on_twins(const HttpServer::Within& within);

  // Without a network: what a request is answered.
  RestDoor(Parts parts, std::optional<Tokens> tokens);

  HttpResponse answer(const HttpRequest& request);
  // Every 100 ms or so.
  void turn() { proofs_.turn(parts_.now()); }
  // Certificate and tokens anew. An error leaves them as they were.
  Result<void> read_files_again();
  std::uint16_t tcp_port() const { return server_ ? server_->tcp_port() : 0; }

 private:
  // Who asks.
  struct Peer {
    IpAddress address;
    bool is_admin = false;       // may place clients anywhere, and see all of them
    bool may_hear_keys = false;  // nobody listens on the way
  };

  Result<void> listen(boost::asio::io_context& io);
  void count_refusal(unsigned status);
  std::optional<HttpResponse> identify(const HttpRequest& request, Peer& peer);
  HttpResponse refuse(unsigned status, std::uint64_t DoorCounters::* counter,
                      std::string_view detail);
  HttpResponse refuse(const ClientError& error);
  HttpResponse serve(const RestPath& path, const HttpRequest& request, const Peer& peer);
  HttpResponse serve_client(const RestPath& path, const HttpRequest& request, const Peer& peer);
  HttpResponse wrong_method(const char* allowed);

  HttpResponse join(const RestPath& path, std::string_view body, const Peer& peer);
  std::optional<HttpResponse> judge_join(const JoinBody& body, const Endpoint& client,
                                         const Peer& peer);
  std::optional<HttpResponse> judge_id(const JoinOrder& order, const ClientId& id);
  HttpResponse prove_first(JoinOrder order, const IpAddress& peer);
  std::optional<HttpResponse> judge_keys(const ClientRoute& route, const Peer& peer);
  HttpResponse admit(const JoinOrder& order, bool is_proved, const Peer& peer);
  HttpResponse renew(const ClientEntry& client, const Peer& peer);
  HttpResponse renew_waiting(const Proofs::Waiting& waiting, std::string_view nonce,
                             const Peer& peer);
  HttpResponse leave(const ClientEntry& client);
  HttpResponse list(const RestPath& path, const Peer& peer);
  std::optional<ClientPosition> position_of(const RestPath& path) const;
  HttpResponse groups(const ClientId& id);
  static bool same_stream(const RestPath& path, const JoinOrder& order);
  const ClientEntry* find(const RestPath& path) const;
  void put(std::string& text, const ClientEntry& client) const;
  HttpResponse tell(unsigned status, const ClientEntry& client) const;
  // With its own key, where it has one and `peer` may hear it.
  HttpResponse tell_all(unsigned status, const ClientEntry& client, const Peer& peer) const;
  HttpResponse tell_waiting(unsigned status, const Proofs::Waiting& waiting);

  Parts parts_;
  RestDoorSpec own_;  // restart-only
  std::optional<Tokens> tokens_;
  Proofs proofs_;
  RateLimit rate_;
  std::unique_ptr<HttpServer> server_;
};

// The OpenAPI 3 description of all this.
std::string_view rest_description();

}  // namespace castgate
