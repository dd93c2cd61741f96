// SPDX-License-Identifier: Apache-2.0
// Who reads and writes the other end of a port's wire.
#pragma once

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "drivers/port.h"
#include "tests/support/quiet_eal.h"

namespace castgate::test {

using Frames = std::vector<Bytes>;

// The other end of the wire.
class Judge {
 public:
  Judge() = default;
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;
  virtual ~Judge() = default;
  virtual Frames arrived() = 0;  // since it was asked last
  virtual bool send(const Bytes& frame) = 0;
};

class KernelJudge final : public Judge {
 public:
  explicit KernelJudge(const std::string& interface)
      : socket_(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    const int on = 1;
    const int room = 64 << 20;
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    setsockopt(socket_, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on);
    setsockopt(socket_, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~KernelJudge() override { close(socket_); }

  Frames arrived() override {
    Frames frames;
    while (true) {
      Bytes bytes(16384);
      alignas(cmsghdr) std::array<char, 256> control{};
      iovec data{bytes.data(), bytes.size()};
      msghdr message{};
      message.msg_iov = &data;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t length = recvmsg(socket_, &message, 0);
      if (length < 0) return frames;
      bytes.resize(static_cast<std::size_t>(length));
      put_tag_back(message, bytes);
      frames.push_back(std::move(bytes));
    }
  }
  bool send(const Bytes& frame) override {
    return ::send(socket_, frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
  }

 private:
  // The kernel hands a tag over beside the frame.
  static void put_tag_back(msghdr& message, Bytes& bytes) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA) continue;
      tpacket_auxdata aux{};
      std::memcpy(&aux, CMSG_DATA(c), sizeof aux);
      if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0) return;
      const Bytes tag{0x81, 0, static_cast<std::uint8_t>(aux.tp_vlan_tci >> 8),
                      static_cast<std::uint8_t>(aux.tp_vlan_tci)};
      bytes.insert(bytes.begin() + 12, tag.begin(), tag.end());
    }
  }

  int socket_;
};

class PortJudge final : public Judge {
 public:
  PortJudge(Port& port, rte_mempool* pool) : port_(port), pool_(pool) {}
  Frames arrived() override {
    Frames frames;
    std::array<rte_mbuf*, 32> burst{};
    while (const unsigned count = port_.receive(0, burst)) {
      for (unsigned i = 0; i < count; ++i) frames.push_back(bytes_of(burst[i]));
      rte_pktmbuf_free_bulk(burst.data(), count);
    }
    return frames;
  }
  bool send(const Bytes& frame) override {
    rte_mbuf* packet = one_segment(pool_, frame);
    return port_.transmit(0, {&packet, 1}) == 1;
  }

 private:
  Port& port_;
  rte_mempool* pool_;
};

}  // namespace castgate::test
