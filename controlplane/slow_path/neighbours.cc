// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/neighbours.h"

#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <random>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

namespace castgate {
namespace {

constexpr int kRoom = 1 << 20;  // bytes of news that wait for us
constexpr Nanoseconds kTellAgain = std::chrono::minutes(1);

Instant now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return Instant{std::chrono::duration_cast<Nanoseconds>(since).count()};
}

}  // namespace

Result<UniqueFd> Neighbours::open_socket() {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  const int group = RTNLGRP_NEIGH;
  if (!socket ||
      setsockopt(socket.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
    return fail(fmt::format("netlink, for next hops: {}", errno_text()));
  }
  // Where it is not allowed the kernel's default does; news that are lost are asked for again.
  (void)setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kRoom, sizeof kRoom);
  return socket;
}

Neighbours::Neighbours(boost::asio::io_context& io, UniqueFd socket,
                       NeighbourWatch::Changed changed)
    : socket_(io, socket.release()),
      timer_(io),
      watch_([this](const NeighbourKey& key, NeighbourOrder order) { give(key, order); },
             std::move(changed), std::random_device{}()),
      told_full_(now() - kTellAgain) {
  await_news();
}

std::optional<MacAddress> Neighbours::watch(const NeighbourKey& key) {
  watch_.add(key, now());
  while (read()) continue;  // the kernel answers while it is asked
  if (!turning_) await_turn();
  return watch_.mac(key);
}

void Neighbours::give(const NeighbourKey& key, NeighbourOrder order) {
  send(neighbour_request(key, order));
}

// What fails is noticed by what does not come, and tried again.
void Neighbours::send(NetlinkRequest request) {
  const auto bytes = request.bytes();
  (void)::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
}

void Neighbours::await_news() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& error) {
                       if (error) return;
                       for (unsigned i = 0; i < 64 && read(); ++i) continue;
                       await_news();
                     });
}

// One datagram; false where none waits.
bool Neighbours::read() {
  const ssize_t length =
      recv(socket_.native_handle(), buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (length < 0 && errno != ENOBUFS) return errno == EINTR;
  const auto whole = static_cast<std::size_t>(std::max<ssize_t>(length, 0));
  const auto messages = read_neighbours(std::span(buffer_).first(std::min(whole, buffer_.size())));
  const Instant at = now();
  for (const NeighbourNews& news : messages.news) watch_.hear(news, at);
  for (const int error : messages.errors) note_error(error);
  // News were lost: all that there is, once more.
  if (length < 0 || whole > buffer_.size()) send(all_neighbours_request());
  return true;
}

void Neighbours::await_turn() {
  turning_ = watch_.size() != 0;
  if (!turning_) return;
  timer_.expires_after(NeighbourWatch::kTurn);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    watch_.turn(now());
    await_turn();
  });
}

// Most are known beforehand: nothing is known of a host that was looked for.
void Neighbours::note_error(int error) {
  const Instant at = now();
  if (error != ENOBUFS || at - told_full_ < kTellAgain) return;
  told_full_ = at;
  spdlog::warn(
      "the kernel's table of neighbours is full, clients behind new ones get nothing: sysctl -w "
      "net.ipv4.neigh.default.gc_thresh3=32768 net.ipv6.neigh.default.gc_thresh3=32768");
}

}  // namespace castgate
