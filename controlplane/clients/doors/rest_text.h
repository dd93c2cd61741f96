// SPDX-License-Identifier: Apache-2.0
// What the REST door reads of foreign bytes, and what it says of clients.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/clients/client_id.h"
#include "controlplane/clients/client_table.h"
#include "dataplane/base/error.h"

namespace castgate {

enum class RestResource : std::uint8_t {
  Description,
  Health,
  Streams,
  StreamClients,
  StreamClient,
  Client
};

struct RestPath {
  RestResource resource = RestResource::Streams;
  std::string stream;      // or stream.output
  ClientId id;             // StreamClient, Client
  unsigned limit = 1'000;  // StreamClients: ?limit=, 1 to 1000
  std::string after;       // StreamClients: ?after=, "next" of the page before, or an id
};

// Nothing where no such resource can be.
std::optional<RestPath> read_rest_path(std::string_view target);

// The token of "Bearer TOKEN"; nothing where it is something else.
std::optional<std::string_view> read_bearer(std::string_view authorization);

struct JoinBody {
  std::uint16_t udp_port = 0;
  std::optional<IpAddress> address;  // the peer's where it is left out
  bool proof = false;
  std::optional<ClientId> client;
};

// Errors say which field is wrong, and what it must be. Unknown fields are errors.
Result<JoinBody> read_join_body(std::string_view body);

struct RenewBody {
  std::string nonce;  // 32 hex digits; empty: none
};
Result<RenewBody> read_renew_body(std::string_view body);  // empty is {}

// A client as every answer has it.
struct ShownClient {
  const ClientEntry& client;
  Nanoseconds left;
  ClientCounters counters;
  unsigned mtu;            // of its way, bytes of IP packet
  std::string_view state;  // "active", "unproved"
};
void put_rest_client(std::string& text, const Spec& spec, const ShownClient& shown);

// Behind the last member of a client as put_rest_client() writes it, without its closing brace:
// what its packets are sealed with, the brace and the end of the line. `sealed`: packets so far.
// The text grows once, before any of the key is in it.
void put_client_key(std::string& text, const ProtectSpec& protect, const ClientKey& key,
                    std::uint64_t sealed);

// Where a page of clients ended: "news1,homes,10.9.0.7,6000", as it stands in a URL.
std::string page_mark(const ClientEntry& last);
std::optional<ClientPosition> read_page_mark(std::string_view mark);

// Streams that have a unicast output.
nlohmann::json rest_streams(const Spec& spec, const ClientTable& clients);

// One line of JSON, whatever the texts in it hold.
std::string rest_line(const nlohmann::json& json);

}  // namespace castgate
