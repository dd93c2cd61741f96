// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/packet_sink.h"

#include <array>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controlplane/node/socket_address.h"
#include "controlplane/slow_path/unique_fd.h"

namespace castgate {
namespace {

// A datagram a packet. Whether anybody listens there is not asked: a player may come later.
class UdpSink final : public PacketSink {
 public:
  UdpSink(UniqueFd socket, const Endpoint& to) : socket_(std::move(socket)), to_(to) {
    for (std::size_t i = 0; i < kMost; ++i) {
      messages_[i].msg_hdr = {};
      messages_[i].msg_hdr.msg_name = &to_.storage;
      messages_[i].msg_hdr.msg_namelen = to_.length;
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  void write(std::span<const Payload> payloads) noexcept override {
    const std::size_t count = payloads.size();
    for (std::size_t i = 0; i < count; ++i) {
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): the kernel only reads it
      parts_[i] = {const_cast<std::byte*>(payloads[i].data()), payloads[i].size()};
    }
    std::size_t at = 0;
    while (at < count) {
      const int sent =
          sendmmsg(socket_.get(), &messages_[at], static_cast<unsigned>(count - at), 0);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) ++dropped_;  // this one; the next may fit, or have a route
      at += sent < 0 ? 1 : static_cast<std::size_t>(sent);
    }
  }
  bool is_datagrams() const noexcept override { return true; }

 private:
  UniqueFd socket_;
  SocketAddress to_;
  std::array<iovec, kMost> parts_{};
  std::array<mmsghdr, kMost> messages_{};
};

Result<std::unique_ptr<PacketSink>> open_file(const std::string& path) {
  constexpr int kMode = 0644;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  if (fd < 0) return fail(fmt::format("--to file:{}: {}", path, errno_text()));
  return open_byte_sink(fd, path);
}

}  // namespace

Result<std::unique_ptr<PacketSink>> open_udp_sink(const Endpoint& to) {
  const int family = to.address.is_v4() ? AF_INET : AF_INET6;
  UniqueFd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail(fmt::format("--to udp://{}: {}", to.to_string(), errno_text()));
  constexpr int kBuffer = 4 << 20;  // a burst that the reader's core takes a moment for
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof kBuffer);
  return std::make_unique<UdpSink>(std::move(socket), to);
}

Result<std::unique_ptr<PacketSink>> PacketSink::open(const std::string& target) {
  if (target == "-") {
    const int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return fail(fmt::format("--to -: {}", errno_text()));
    return open_byte_sink(fd, "standard output");
  }
  if (target.starts_with("udp://")) {
    const auto to = Endpoint::parse(target.substr(6));
    if (to && to->udp_port != 0 && !to->address.is_unspecified()) return open_udp_sink(*to);
  }
  if (target.starts_with("file:") && target.size() > 5) return open_file(target.substr(5));
  return fail(fmt::format("--to '{}': expected udp://ADDRESS:PORT, file:PATH or -", target));
}

}  // namespace castgate
