// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/doors/rest_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <initializer_list>

#include "controlplane/clients/client_route.h"
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

bool is_isolated(const Spec& spec, const ClientRoute& route) {
  return spec.streams[route.stream].unicasts[route.unicast].protect.is_isolated();
}

using nlohmann::json;

constexpr std::string_view kVersion = "/v1/";
constexpr std::size_t kDeepest = 4;  // nesting of a body

// The next step of a path, cut off its front.
std::string_view cut_step(std::string_view& path) {
  const auto slash = path.find('/');
  const std::string_view step = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  return step;
}

bool read_query(std::string_view query, RestPath& path) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    const auto sign = pair.find('=');
    if (sign == std::string_view::npos) return false;
    const std::string_view value = pair.substr(sign + 1);
    if (pair.substr(0, sign) == "after") {
      path.after = value;
    } else if (pair.substr(0, sign) == "limit") {
      const auto [rest, error] =
          std::from_chars(value.data(), value.data() + value.size(), path.limit);
      if (error != std::errc{} || rest != value.data() + value.size()) return false;
      if (path.limit < 1 || path.limit > 1'000) return false;
    } else {
      return false;
    }
  }
  return true;
}

// Not nested deeper than any body must be; texts with brackets in them count as well.
bool is_shallow(std::string_view body) noexcept {
  std::size_t depth = 0;
  for (const char c : body) {
    if (c == '{' || c == '[') ++depth;
    if (depth > kDeepest) return false;
    if ((c == '}' || c == ']') && depth > 0) --depth;
  }
  return true;
}

// A body that is a map of known fields; nesting is bounded before anything is built of it.
Result<json> read_map(std::string_view body, std::initializer_list<std::string_view> fields) {
  json map = is_shallow(body) ? json::parse(body, nullptr, false) : json();
  if (!map.is_object()) return fail("the body must be one JSON object");
  for (const auto& [field, value] : map.items()) {
    if (std::ranges::find(fields, field) == fields.end()) {
      return fail(
          fmt::format("there is no field '{}'; there are: {}", field, fmt::join(fields, ", ")));
    }
  }
  return map;
}

std::string_view sequence_name(SequenceFormat format) {
  return kSequenceNames[static_cast<std::size_t>(format)];
}

const std::string* text_of(const json& map, const char* field) {
  const auto found = map.find(field);
  return found == map.end() ? nullptr : found->get_ptr<const json::string_t*>();
}

}  // namespace

std::optional<RestPath> read_rest_path(std::string_view target) {
  RestPath path;
  const auto mark = target.find('?');
  const std::string_view query =
      mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  std::string_view rest = target.substr(0, mark);
  if (!rest.starts_with(kVersion) || rest.ends_with('/')) return {};
  rest.remove_prefix(kVersion.size());
  const std::string_view first = cut_step(rest);
  if (first == "openapi.json" && rest.empty() && query.empty()) {
    path.resource = RestResource::Description;
    return path;
  }
  if (first == "health" && rest.empty() && query.empty()) {
    path.resource = RestResource::Health;
    return path;
  }
  if (first == "clients") {
    const auto id = ClientId::parse(rest);
    if (!id || !query.empty()) return {};
    path.resource = RestResource::Client;
    path.id = *id;
    return path;
  }
  if (first != "streams") return {};
  if (rest.empty()) return query.empty() ? std::optional(path) : std::nullopt;
  path.stream = cut_step(rest);
  if (path.stream.empty() || cut_step(rest) != "clients") return {};
  path.resource = RestResource::StreamClients;
  if (rest.empty()) return read_query(query, path) ? std::optional(path) : std::nullopt;
  const auto id = ClientId::parse(rest);
  if (!id || !query.empty()) return {};
  path.resource = RestResource::StreamClient;
  path.id = *id;
  return path;
}

std::optional<std::string_view> read_bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  const bool same = std::ranges::equal(authorization.substr(0, kScheme.size()), kScheme, {},
                                       [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  if (!same) return {};
  return authorization.substr(kScheme.size());
}

Result<JoinBody> read_join_body(std::string_view body) {
  const auto map = read_map(body, {"udp_port", "address", "proof", "client"});
  if (!map) return std::unexpected(map.error());
  JoinBody join;
  const auto udp_port = map->find("udp_port");
  if (udp_port == map->end() || !udp_port->is_number_unsigned() ||
      udp_port->get<std::uint64_t>() < 1 || udp_port->get<std::uint64_t>() > 65'535) {
    return fail("udp_port must be a number from 1 to 65535: where the packets are to go");
  }
  join.udp_port = udp_port->get<std::uint16_t>();
  if (map->contains("address")) {
    const std::string* text = text_of(*map, "address");
    join.address = text == nullptr ? std::nullopt : IpAddress::parse(*text);
    if (!join.address) return fail("address must be an IP address: \"10.9.0.7\"");
  }
  if (const auto proof = map->find("proof"); proof != map->end()) {
    if (!proof->is_boolean()) return fail("proof must be true or false");
    join.proof = proof->get<bool>();
  }
  if (map->contains("client")) {
    const std::string* text = text_of(*map, "client");
    join.client = text == nullptr ? std::nullopt : ClientId::parse(*text);
    if (!join.client) return fail("client must be the id of a client: 32 hex digits");
  }
  return join;
}

Result<RenewBody> read_renew_body(std::string_view body) {
  if (body.empty()) return RenewBody{};
  const auto map = read_map(body, {"nonce"});
  if (!map) return std::unexpected(map.error());
  RenewBody renew;
  if (!map->contains("nonce")) return renew;
  const std::string* text = text_of(*map, "nonce");
  if (text == nullptr || !ClientId::parse(*text)) {
    return fail("nonce must be the 32 hex digits that came by UDP");
  }
  renew.nonce = *text;
  return renew;
}

// Written out by itself, as every join has one. Names are letters, digits, _ . and -.
void put_rest_client(std::string& text, const Spec& spec, const ShownClient& shown) {
  const ClientEntry& client = shown.client;
  const auto seconds = [](Nanoseconds span) { return std::chrono::duration<double>(span).count(); };
  const Endpoint source = source_of(spec, client.route);
  const auto out = std::back_inserter(text);
  fmt::format_to(
      out,
      R"({{"id":"{}","stream":"{}","output":"{}","address":"{}","udp_port":{},)"
      R"("source":{{"address":"{}","udp_port":{}}},"sequence":"{}","state":"{}",)"
      R"("lease_s":{:.3f},"expires_in_s":{:.3f},"mtu":{},{}{}"packets":{},"bytes":{},"drops":{{)",
      client.id.to_string(), client.name->stream, client.name->output,
      client.route.to.address.to_string(), client.route.to.udp_port, source.address.to_string(),
      source.udp_port, sequence_name(spec.streams[client.route.stream].sequence.format),
      shown.state, seconds(client.lease), seconds(shown.left), shown.mtu,
      client.ttl_seen == 0 ? "" : fmt::format(R"("ttl_seen":{},)", client.ttl_seen),
      is_isolated(spec, client.route) ? R"("isolation":"per_client",)" : "", shown.counters.packets,
      shown.counters.bytes);
  for (std::size_t d = 0; d < kClientDrops; ++d) {
    fmt::format_to(out, R"({}"{}":{})", d == 0 ? "" : ",", kClientDropNames[d],
                   shown.counters.drops[d]);
  }
  text += "}}";
}

json rest_streams(const Spec& spec, const ClientTable& clients) {
  json streams = json::array();
  for (const StreamSpec& stream : spec.streams) {
    if (stream.unicasts.empty()) continue;
    json outputs = json::array();
    for (const UnicastSpec& unicast : stream.unicasts) {
      outputs.push_back({{"name", unicast.name},
                         {"clients", clients.size_of(stream.name, unicast.name)},
                         {"max_clients", unicast.max_clients}});
    }
    const double skew = std::chrono::duration<double, std::milli>(stream.failover.max_skew).count();
    streams.push_back({{"name", stream.name},
                       {"outputs", outputs},
                       {"sequence", sequence_name(stream.sequence.format)},
                       {"max_skew_ms", skew}});
  }
  return {{"streams", streams}};
}

std::string page_mark(const ClientEntry& last) {
  return fmt::format("{},{},{},{}", last.name->stream, last.name->output,
                     last.route.to.address.to_string(), last.route.to.udp_port);
}

std::optional<ClientPosition> read_page_mark(std::string_view mark) {
  std::array<std::string, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto comma = mark.find(',');
    const bool is_last = i + 1 == parts.size();
    if ((comma == std::string_view::npos) != is_last) return std::nullopt;
    parts[i] = mark.substr(0, comma);
    if (!is_last) mark.remove_prefix(comma + 1);
  }
  const auto address = IpAddress::parse(parts[2]);
  std::uint16_t udp_port = 0;
  const char* const end = parts[3].data() + parts[3].size();
  const auto [rest, error] = std::from_chars(parts[3].data(), end, udp_port);
  if (!address || error != std::errc{} || rest != end) return std::nullopt;
  return ClientPosition{.name = {parts[0], parts[1]}, .client = {*address, udp_port}};
}

std::string rest_line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace castgate
