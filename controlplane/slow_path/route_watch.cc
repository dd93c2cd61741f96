// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/route_watch.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <span>
#include <sys/socket.h>

#include "controlplane/slow_path/route_messages.h"

namespace castgate {
namespace {

constexpr int kRoom = 1 << 20;         // bytes of news that wait for us
constexpr unsigned kReadsAtOnce = 64;  // datagrams, before others have their turn
// Without a word the kernel takes away IPv4 routes of a link or an address that goes.
constexpr auto kGroups = std::to_array<int>(
    {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_LINK,
     RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NEXTHOP});

}  // namespace

Result<std::unique_ptr<RouteWatch>> RouteWatch::open(boost::asio::io_context& io, Changed changed) {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl own{};
  own.nl_family = AF_NETLINK;
  // Without a name of its own, which the kernel gives it, it would hear nothing.
  const bool named =
      socket && bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0;
  const bool heard = named && std::ranges::all_of(kGroups, [&](int group) {
                       return setsockopt(socket.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
                                         sizeof group) == 0;
                     });
  if (!heard) return fail(fmt::format("netlink, for changes of routes: {}", errno_text()));
  // Where it is not allowed the kernel's default does; where news are lost all is looked at.
  (void)setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kRoom, sizeof kRoom);
  return std::unique_ptr<RouteWatch>(new RouteWatch(io, std::move(socket), std::move(changed)));
}

RouteWatch::RouteWatch(boost::asio::io_context& io, UniqueFd socket, Changed changed)
    : socket_(io, socket.release()), changed_(std::move(changed)) {
  await_news();
}

void RouteWatch::await_news() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& error) {
                       if (error) return;
                       for (unsigned i = 0; i < kReadsAtOnce && read(); ++i) continue;
                       await_news();
                     });
}

// One datagram; false where none waits.
bool RouteWatch::read() {
  const ssize_t length =
      recv(socket_.native_handle(), buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (length < 0 && errno != ENOBUFS) return errno == EINTR;
  const auto whole = static_cast<std::size_t>(std::max<ssize_t>(length, 0));
  const RouteNews news = read_routes(std::span(buffer_).first(std::min(whole, buffer_.size())));
  for (const IpPrefix& to : news.to) changed_(to);
  if (news.any || length < 0 || whole > buffer_.size()) changed_(std::nullopt);
  return true;
}

}  // namespace castgate
