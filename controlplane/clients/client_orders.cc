// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/client_orders.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "controlplane/clients/client_ranking.h"
#include "controlplane/report/client_report.h"

namespace castgate {
namespace {

using nlohmann::json;

constexpr std::string_view kExpected =
    R"(expected {"join": {"stream": S, "client": "ADDRESS:PORT"}}, or leave)";

std::string line(const json& reply) {
  return reply.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

struct Order {
  std::string stream;
  Endpoint client;
};

Result<Order> read_order(const json& order) {
  const auto text = [&](const char* field) -> const std::string* {
    const auto found = order.find(field);
    return found == order.end() ? nullptr : found->get_ptr<const json::string_t*>();
  };
  if (!order.is_object() || order.size() != 2) return fail(std::string(kExpected));
  const std::string* stream = text("stream");
  const std::string* client = text("client");
  if (stream == nullptr || client == nullptr) return fail(std::string(kExpected));
  const auto endpoint = Endpoint::parse(*client);
  if (!endpoint) {
    return fail(
        fmt::format("'{}' is no address and UDP port: 10.9.0.7:6000, [2001:db8::7]:6000", *client));
  }
  return Order{*stream, *endpoint};
}

json describe(const ClientEntry& client, const ClientTable& clients, Instant now) {
  const ClientCounters counters = clients.counters(client);
  json out = client_json(
      {client.name->stream, client.name->output, client.route.to.to_string(), counters});
  out["id"] = client.id.to_string();
  out["door"] = client.door;
  out["mtu"] = clients.mtu_of(client);
  if (client.ttl_seen != 0) out["ttl_seen"] = client.ttl_seen;
  if (client.route.mtu != 0) {
    out["mtu_expires_in"] = std::chrono::duration<double>(clients.mtu_until(client) - now).count();
  }
  out["seconds"] = std::chrono::duration<double>(now - client.since).count();
  if (client.lease.count() != 0) {
    out["expires_in"] = std::chrono::duration<double>(clients.left_of(client, now)).count();
  }
  return out;
}

std::string join(const Order& order, ClientTable& clients, Instant now) {
  const auto joined = clients.join({.output = order.stream, .client = order.client}, now);
  if (!joined) return line({{"error", joined.error().text}});
  const ClientEntry& client = *joined->client;
  json reply = describe(client, clients, now);
  if (const auto why = clients.next_hops().why_never(client.route)) {
    reply["warning"] = "its packets are dropped as no_neighbour: " + *why;
  }
  return line(reply);
}

std::string leave(const Order& order, ClientTable& clients, Instant now) {
  const auto left = clients.leave(order.stream, order.client);
  if (!left) return line({{"error", left.error().text}});
  return line(describe(*left, clients, now));
}

Result<ClientRank> read_rank(const std::string& by) {
  const auto* rank = std::ranges::find(kClientRankNames, by);
  if (rank != kClientRankNames.end()) {
    return static_cast<ClientRank>(rank - kClientRankNames.begin());
  }
  return fail(
      fmt::format("by: {} is none of {}", json(by).dump(), fmt::join(kClientRankNames, ", ")));
}

Result<ClientChoice> read_choice(const json& request) {
  ClientChoice choice;
  for (const auto& [key, value] : request.items()) {
    if (key == "top" && value.is_number_unsigned() && value != 0) {
      choice.top = value.get<std::size_t>();
    } else if (key == "by" && value.is_string()) {
      const auto rank = read_rank(value.get_ref<const std::string&>());
      if (!rank) return std::unexpected(rank.error());
      choice.by = *rank;
    } else if (key != "show") {
      return fail(R"(expected {"show": "clients", "top": 20, "by": "drops"})");
    }
  }
  return choice;
}

std::string show(const json& request, const ClientTable& clients, Instant now) {
  const auto choice = read_choice(request);
  if (!choice) return line({{"error", choice.error().text}});
  json chosen = json::array();
  for (const CountedClient& one : choose(clients, *choice, now)) {
    chosen.push_back(describe(one.client, clients, now));
  }
  return line({{"total", clients.size()}, {"clients", std::move(chosen)}});
}

}  // namespace

std::optional<std::string> answer_client_order(std::string_view request, ClientTable& clients,
                                               Instant now) {
  const json parsed = json::parse(request, nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  if (const auto subject = parsed.find("show"); subject != parsed.end() && *subject == "clients") {
    return show(parsed, clients, now);
  }
  if (parsed.size() != 1) return std::nullopt;
  const bool joins = parsed.contains("join");
  if (!joins && !parsed.contains("leave")) return std::nullopt;
  const auto order = read_order(parsed.front());
  if (!order) return line({{"error", order.error().text}});
  return joins ? join(*order, clients, now) : leave(*order, clients, now);
}

}  // namespace castgate
