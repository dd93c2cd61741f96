// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/leg_socket.h"

#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <utility>

#include "controlplane/node/socket_address.h"

namespace castgate {
namespace {

Result<UniqueFd> make_socket(const Endpoint& at) {
  const bool any = at.address.is_unspecified();
  const int family = any || !at.address.is_v4() ? AF_INET6 : AF_INET;
  UniqueFd fd(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  Endpoint bound = at;
  if (any) bound.address = IpAddress::v6({});
  SocketAddress address(bound, family);
  if (!fd && any) {  // a kernel without IPv6
    fd = UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    address = SocketAddress(Endpoint{IpAddress{}, at.udp_port}, AF_INET);
  }
  constexpr int kOff = 0;
  if (any) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &kOff, sizeof kOff);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0) {
    return fail(fmt::format("--listen {}: {}", at.to_string(), errno_text()));
  }
  return fd;
}

// Says what was granted, where it is less than asked.
std::string enlarge(int fd, unsigned bytes) {
  const int wanted = static_cast<int>(bytes);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  }
  int granted = 0;
  socklen_t length = sizeof granted;
  getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &length);
  granted /= 2;  // the kernel counts its own books in as much again
  if (granted >= wanted) return {};
  return fmt::format(
      "the kernel gave {} KiB of {} KiB for reception: bursts may be lost; "
      "sysctl -w net.core.rmem_max={}",
      granted >> 10, wanted >> 10, wanted);
}

}  // namespace

struct LegSocket::Batch {
  static constexpr std::size_t kControl = 64;

  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts{};
  std::array<sockaddr_storage, kBatch> names{};
  alignas(cmsghdr) std::array<std::array<std::byte, kControl>, kBatch> controls{};
};

LegSocket::LegSocket(UniqueFd fd, std::uint16_t udp_port, std::string warning)
    : fd_(std::move(fd)),
      udp_port_(udp_port),
      warning_(std::move(warning)),
      batch_(std::make_shared<Batch>()) {}

Result<std::unique_ptr<LegSocket>> LegSocket::open(const Endpoint& at, unsigned buffer) {
  auto fd = make_socket(at);
  if (!fd) return std::unexpected(fd.error());
  constexpr int kOn = 1;
  setsockopt(fd->get(), SOL_SOCKET, SO_RXQ_OVFL, &kOn, sizeof kOn);
  std::string warning = enlarge(fd->get(), buffer);
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  getsockname(fd->get(), reinterpret_cast<sockaddr*>(&bound), &length);
  const std::uint16_t port = endpoint_of(bound).udp_port;
  return std::unique_ptr<LegSocket>(new LegSocket(std::move(*fd), port, std::move(warning)));
}

void LegSocket::note_drops(unsigned index) noexcept {
  msghdr& header = batch_->messages[index].msg_hdr;
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SO_RXQ_OVFL) continue;
    std::memcpy(&kernel_drops_, CMSG_DATA(at), sizeof kernel_drops_);
  }
}

std::span<const LegSocket::Datagram> LegSocket::receive(PacketStore& store) noexcept {
  unsigned room = 0;
  for (; room < kBatch; ++room) {
    NodePacket* packet = store.take();
    if (packet == nullptr) break;
    received_[room] = {packet, {}, false};
    batch_->parts[room] = {packet->bytes.data(), packet->bytes.size()};
    msghdr& header = batch_->messages[room].msg_hdr;
    header = {};
    header.msg_name = &batch_->names[room];
    header.msg_namelen = sizeof(sockaddr_storage);
    header.msg_iov = &batch_->parts[room];
    header.msg_iovlen = 1;
    header.msg_control = batch_->controls[room].data();
    header.msg_controllen = Batch::kControl;
  }
  const int got = recvmmsg(fd_.get(), batch_->messages.data(), room, MSG_DONTWAIT, nullptr);
  const unsigned count = got < 0 ? 0 : static_cast<unsigned>(got);
  for (unsigned i = room; i-- > count;) store.give_back(received_[i].packet);
  for (unsigned i = 0; i < count; ++i) {
    received_[i].packet->length = batch_->messages[i].msg_len;
    received_[i].from = endpoint_of(batch_->names[i]);
    received_[i].truncated = (batch_->messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    note_drops(i);
  }
  return {received_.data(), count};
}

}  // namespace castgate
