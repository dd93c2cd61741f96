// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/memberships.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace castgate {
namespace {

sockaddr_storage socket_address(const IpAddress& address) {
  sockaddr_storage storage{};
  if (address.is_v4()) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(address.v4_host_order());
    std::memcpy(&storage, &four, sizeof four);
  } else {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    std::memcpy(&six.sin6_addr, address.bytes().data(), address.bytes().size());
    std::memcpy(&storage, &six, sizeof six);
  }
  return storage;
}

enum class Change : std::uint8_t { Join, Leave };

int change_membership(int fd, unsigned interface, const IpAddress& group,
                      const std::optional<IpAddress>& source, Change change) {
  const int level = group.is_v4() ? IPPROTO_IP : IPPROTO_IPV6;
  if (source) {
    group_source_req request{};
    request.gsr_interface = interface;
    request.gsr_group = socket_address(group);
    request.gsr_source = socket_address(*source);
    const int option = change == Change::Join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP;
    return setsockopt(fd, level, option, &request, sizeof request);
  }
  group_req request{};
  request.gr_interface = interface;
  request.gr_group = socket_address(group);
  const int option = change == Change::Join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP;
  return setsockopt(fd, level, option, &request, sizeof request);
}

// Each membership by itself, a group and a source or any, in order.
std::vector<std::pair<IpAddress, std::optional<IpAddress>>> each(
    const std::vector<JoinedGroup>& groups) {
  std::vector<std::pair<IpAddress, std::optional<IpAddress>>> all;
  for (const JoinedGroup& group : groups) {
    if (group.sources.empty()) all.emplace_back(group.group, std::nullopt);
    for (const IpAddress& source : group.sources) all.emplace_back(group.group, source);
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace

Result<UniqueFd> datagram_socket(int family) {
  UniqueFd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail(fmt::format("membership socket: {}", errno_text()));
  return fd;
}

Result<void> Memberships::join(unsigned interface, const JoinedGroup& wanted) {
  return follow(interface, {}, {wanted});
}

Result<void> Memberships::follow(unsigned interface, const std::vector<JoinedGroup>& before,
                                 const std::vector<JoinedGroup>& after) {
  const auto old = each(before);
  const auto wanted = each(after);
  for (const auto& one : wanted) {
    if (std::ranges::binary_search(old, one)) continue;
    if (auto good = join_one({interface, one.first}, one.second); !good) return good;
  }
  for (const auto& one : old) {
    if (!std::ranges::binary_search(wanted, one)) leave_one({interface, one.first}, one.second);
  }
  return {};
}

Result<void> Memberships::join_one(const Key& key, const Source& source) {
  auto socket = socket_for(key, source.has_value());
  if (!socket) return std::unexpected(socket.error());
  if (change_membership((*socket)->fd.get(), key.first, key.second, source, Change::Join) != 0) {
    return fail(fmt::format("join {}{}: {}", key.second.to_string(),
                            source ? " from " + source->to_string() : "", errno_text()));
  }
  (*socket)->sources[key].push_back(source);
  return {};
}

void Memberships::leave_one(const Key& key, const Source& source) {
  for (Socket& socket : sockets_) {
    const auto known = socket.sources.find(key);
    if (known == socket.sources.end()) continue;
    const auto at = std::ranges::find(known->second, source);
    if (at == known->second.end()) continue;
    change_membership(socket.fd.get(), key.first, key.second, source, Change::Leave);
    known->second.erase(at);
    if (known->second.empty()) socket.sources.erase(known);
    return;
  }
}

// The first with room: for another source of a group that it has, or for another group.
Result<Memberships::Socket*> Memberships::socket_for(const Key& key, bool has_source) {
  const int family = key.second.is_v4() ? AF_INET : AF_INET6;
  const auto has_room = [&](const Socket& socket) {
    if (socket.family != family) return false;
    const auto known = socket.sources.find(key);
    if (known != socket.sources.end())
      return has_source && known->second.front() && known->second.size() < kSources;
    return socket.sources.size() < kGroups;
  };
  const auto found = std::ranges::find_if(sockets_, has_room);
  if (found != sockets_.end()) return &*found;
  auto fd = open_(family);
  if (!fd) return std::unexpected(fd.error());
  sockets_.push_back(Socket{family, std::move(*fd), {}});
  return &sockets_.back();
}

}  // namespace castgate
