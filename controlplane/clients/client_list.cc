// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/client_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>

#include "controlplane/clients/client_route.h"
#include "controlplane/keys/client_keys.h"
#include "pipelines/complaints.h"
#include "pipelines/units.h"

namespace castgate {
namespace {

constexpr std::uintmax_t kMostBytes = 64u << 20;

enum Column : std::size_t { Stream, Transport, Address, UdpPort, JoinAt, LeaveAt };
constexpr std::size_t kColumns = 6;
constexpr std::array<std::string_view, kColumns> kNames{"stream",   "transport", "address",
                                                        "udp_port", "join_at",   "leave_at"};

using Fields = std::vector<std::string>;

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1));
}

Fields split(std::string_view line) {
  Fields fields;
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(trimmed(line.substr(0, comma)));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

// Where each column stands; an error names the one that is missing, unknown or there twice.
Result<std::array<std::size_t, kColumns>> read_header(const Fields& fields) {
  std::array<std::size_t, kColumns> places;
  places.fill(SIZE_MAX);
  for (std::size_t f = 0; f < fields.size(); ++f) {
    const auto column = std::ranges::find(kNames, fields[f]);
    if (column == kNames.end()) {
      return fail(
          fmt::format("no column {}; known: {}", shown(fields[f]), fmt::join(kNames, ", ")));
    }
    std::size_t& place = places[static_cast<std::size_t>(column - kNames.begin())];
    if (place != SIZE_MAX) return fail(fmt::format("two columns {}", *column));
    place = f;
  }
  for (const Column needed : {Stream, Address, UdpPort}) {
    if (places[needed] == SIZE_MAX) return fail(fmt::format("no column {}", kNames[needed]));
  }
  return places;
}

Result<Nanoseconds> read_moment(const std::string& text, std::string_view column,
                                Nanoseconds otherwise) {
  if (text.empty()) return otherwise;
  const auto value = parse_quantity(text, kDurations);
  if (!value) return fail(fmt::format("{}: {}", column, value.error().text));
  return Nanoseconds{static_cast<std::int64_t>(*value)};
}

Result<Endpoint> read_endpoint(const std::string& address, const std::string& udp_port) {
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return fail(fmt::format("address: {} is not an IP address", shown(address)));
  Endpoint endpoint{*parsed, 0};
  const char* end = udp_port.data() + udp_port.size();
  const auto [stop, error] = std::from_chars(udp_port.data(), end, endpoint.udp_port);
  if (error != std::errc{} || stop != end || endpoint.udp_port == 0) {
    return fail(fmt::format("udp_port: {} is not 1 to 65535", shown(udp_port)));
  }
  return endpoint;
}

Result<ReplayClient> read_client(const Spec& spec, const std::array<std::string, kColumns>& row) {
  if (!row[Transport].empty() && row[Transport] != "udp") {
    return fail(fmt::format("transport: {} is not udp", shown(row[Transport])));
  }
  const auto where = find_unicast(spec, row[Stream]);
  if (!where) return std::unexpected(where.error());
  const auto endpoint = read_endpoint(row[Address], row[UdpPort]);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto route = route_to(spec, *where, *endpoint);
  if (!route) return std::unexpected(route.error());
  route->next_hop = static_next_hop(spec, *route);
  const auto join_at = read_moment(row[JoinAt], kNames[JoinAt], Nanoseconds{0});
  if (!join_at) return std::unexpected(join_at.error());
  const auto leave_at = read_moment(row[LeaveAt], kNames[LeaveAt], Nanoseconds::max());
  if (!leave_at) return std::unexpected(leave_at.error());
  if (*leave_at <= *join_at) return fail("leave_at is not after join_at");
  return ReplayClient{*route, *join_at, *leave_at, nullptr};
}

// Where its output gives each client one. `number`: in the list, from 1 on.
void give_key(const Spec& spec, std::size_t number, ReplayClient& client) {
  const StreamSpec& stream = spec.streams[client.route.stream];
  const ProtectSpec& protect = stream.unicasts[client.route.unicast].protect;
  if (!protect.is_isolated() || protect.keys.empty()) return;
  client.key = client_key(protect, stream.name, client.route.to, replay_session(number));
}

// No moment has more clients than the outputs take.
Result<void> check_room(const Spec& spec, const std::vector<ReplayClient>& clients) {
  std::map<std::pair<std::uint16_t, std::uint16_t>, std::map<Nanoseconds, std::int64_t>> changes;
  for (const ReplayClient& client : clients) {
    auto& of = changes[{client.route.stream, client.route.unicast}];
    ++of[client.join_at];
    --of[client.leave_at];
  }
  for (const auto& [which, moments] : changes) {
    const StreamSpec& stream = spec.streams[which.first];
    const UnicastSpec& unicast = stream.unicasts[which.second];
    std::int64_t now = 0;
    for (const auto& [moment, change] : moments) {
      now += change;
      if (now <= std::int64_t{unicast.max_clients}) continue;
      return fail(fmt::format("more than {} clients of {}.{} at a time: raise max_clients",
                              unicast.max_clients, stream.name, unicast.name));
    }
  }
  return {};
}

// Two of one client at a time, the earlier line first.
std::optional<std::pair<std::size_t, std::size_t>> find_twice(
    const std::vector<ReplayClient>& clients) {
  const auto what = [&](std::size_t at) {
    const ClientRoute& route = clients[at].route;
    return std::tie(route.stream, route.unicast, route.to);
  };
  std::vector<std::size_t> order(clients.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t one, std::size_t two) {
    return what(one) != what(two) ? what(one) < what(two)
                                  : clients[one].join_at < clients[two].join_at;
  });
  const auto meet = [&](std::size_t one, std::size_t two) {
    return what(one) == what(two) && clients[two].join_at < clients[one].leave_at;
  };
  const auto found = std::ranges::adjacent_find(order, meet);
  if (found == order.end()) return std::nullopt;
  return std::minmax(*found, *(found + 1));
}

}  // namespace

Result<std::vector<ReplayClient>> read_client_list(const Spec& spec, std::string_view text,
                                                   const std::string& name) {
  std::vector<ReplayClient> clients;
  std::vector<std::size_t> lines;  // where they stand
  std::size_t columns = 0;
  std::optional<std::array<std::size_t, kColumns>> places;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    const auto wrong = [&](const Error& error) {
      return fail(fmt::format("{}:{}: {}", name, number, error.text));
    };
    Fields fields = split(line);
    if (!places) {
      const auto header = read_header(fields);
      if (!header) return wrong(header.error());
      places = *header;
      columns = fields.size();
      continue;
    }
    while (fields.size() > columns && fields.back().empty()) fields.pop_back();
    if (fields.size() > columns)
      return wrong({fmt::format("{} values for {} columns", fields.size(), columns)});
    std::array<std::string, kColumns> row;
    for (std::size_t c = 0; c < kColumns; ++c) {
      if ((*places)[c] < fields.size()) row[c] = fields[(*places)[c]];
    }
    const auto client = read_client(spec, row);
    if (!client) return wrong(client.error());
    lines.push_back(number);
    clients.push_back(*client);
    give_key(spec, clients.size(), clients.back());
  }
  if (!places) return fail(name + ": no line with the columns' names");
  if (const auto twice = find_twice(clients)) {
    return fail(fmt::format("{}:{}: {} is there already (line {})", name, lines[twice->second],
                            clients[twice->second].route.to.to_string(), lines[twice->first]));
  }
  if (const auto room = check_room(spec, clients); !room) {
    return fail(fmt::format("{}: {}", name, room.error().text));
  }
  return clients;
}

Result<std::vector<ReplayClient>> read_client_file(const Spec& spec, const std::string& path) {
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(path, none);
  if (!none && size > kMostBytes) return fail(path + ": more than 64 MiB");
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) return fail(path + ": cannot be read");
  return read_client_list(spec, text, path);
}

}  // namespace castgate
