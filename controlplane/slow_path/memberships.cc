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

int join_group(int fd, int level, unsigned interface, const IpAddress& group) {
  group_req request{};
  request.gr_interface = interface;
  request.gr_group = socket_address(group);
  return setsockopt(fd, level, MCAST_JOIN_GROUP, &request, sizeof request);
}

int join_source(int fd, int level, unsigned interface, const IpAddress& group,
                const IpAddress& source) {
  group_source_req request{};
  request.gsr_interface = interface;
  request.gsr_group = socket_address(group);
  request.gsr_source = socket_address(source);
  return setsockopt(fd, level, MCAST_JOIN_SOURCE_GROUP, &request, sizeof request);
}

}  // namespace

Result<void> Memberships::join(unsigned interface, const JoinedGroup& wanted) {
  if (wanted.sources.empty()) return join_one(interface, wanted.group, nullptr);
  for (const auto& source : wanted.sources) {
    if (auto good = join_one(interface, wanted.group, &source); !good) return good;
  }
  return {};
}

Result<void> Memberships::join_one(unsigned interface, const IpAddress& group,
                                   const IpAddress* source) {
  const Key key{interface, group};
  auto socket = socket_for(key, source != nullptr);
  if (!socket) return std::unexpected(socket.error());
  const int level = group.is_v4() ? IPPROTO_IP : IPPROTO_IPV6;
  const int fd = (*socket)->fd.get();
  const int failed = source == nullptr ? join_group(fd, level, interface, group)
                                       : join_source(fd, level, interface, group, *source);
  if (failed != 0) {
    return fail(fmt::format("join {}{}: {}", group.to_string(),
                            source == nullptr ? "" : " from " + source->to_string(), errno_text()));
  }
  ++(*socket)->sources[key];
  return {};
}

// The first with room: for another source of a group that it has, or for another group.
Result<Memberships::Socket*> Memberships::socket_for(const Key& key, bool has_source) {
  const int family = key.second.is_v4() ? AF_INET : AF_INET6;
  const auto has_room = [&](const Socket& socket) {
    if (socket.family != family) return false;
    const auto known = socket.sources.find(key);
    if (known != socket.sources.end()) return has_source && known->second < kSources;
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
