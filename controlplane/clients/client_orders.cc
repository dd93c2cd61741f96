// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/client_orders.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

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

json describe(const ClientEntry& client, const ClientCounters& counters, Instant now) {
  json out = client_json({client.stream, client.output, client.route.to.to_string(), counters});
  out["id"] = client.id;
  out["seconds"] = std::chrono::duration<double>(now - client.since).count();
  return out;
}

std::string join(const Order& order, ClientTable& clients, Instant now) {
  const auto joined = clients.join(order.stream, order.client, now);
  if (!joined) return line({{"error", joined.error().text}});
  json reply = describe(**joined, clients.counters(**joined), now);
  if (!(*joined)->route.next_hop) {
    reply["warning"] =
        "no MAC address leads to this client yet: its packets are dropped as "
        "no_neighbour; see ports.*.neighbours and gateway";
  }
  return line(reply);
}

std::string leave(const Order& order, ClientTable& clients, Instant now) {
  const auto left = clients.leave(order.stream, order.client);
  if (!left) return line({{"error", left.error().text}});
  return line(describe(*left, clients.counters(*left), now));
}

}  // namespace

std::optional<std::string> answer_client_order(std::string_view request, ClientTable& clients,
                                               Instant now) {
  const json parsed = json::parse(request, nullptr, false);
  if (!parsed.is_object() || parsed.size() != 1) return std::nullopt;
  if (parsed == json{{"show", "clients"}}) {
    json all = json::array();
    for (const ClientEntry& client : clients.all()) {
      all.push_back(describe(client, clients.counters(client), now));
    }
    return line({{"clients", all}});
  }
  const bool joins = parsed.contains("join");
  if (!joins && !parsed.contains("leave")) return std::nullopt;
  const auto order = read_order(parsed.front());
  if (!order) return line({{"error", order.error().text}});
  return joins ? join(*order, clients, now) : leave(*order, clients, now);
}

}  // namespace castgate
