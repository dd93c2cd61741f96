// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "controlplane/node/node_packet.h"
#include "controlplane/slow_path/unique_fd.h"
#include "dataplane/base/address.h"
#include "dataplane/base/error.h"

namespace castgate {

// The UDP socket that one relay sends to.
class LegSocket {
 public:
  static constexpr unsigned kBatch = 64;
  // What was received with a batch.
  struct Datagram {
    NodePacket* packet = nullptr;
    Endpoint from;
    bool truncated = false;  // longer than a packet holds
  };

  // `at`: an unspecified address is any of this host's, of both families; port 0 is any.
  // `buffer`: bytes that are asked of the kernel.
  static Result<std::unique_ptr<LegSocket>> open(const Endpoint& at, unsigned buffer);

  LegSocket(const LegSocket&) = delete;
  LegSocket& operator=(const LegSocket&) = delete;

  // What is there, kBatch at most, in packets of the store; never waits. Empty where nothing is.
  std::span<const Datagram> receive(PacketStore& store) noexcept;

  int fd() const noexcept { return fd_.get(); }
  std::uint16_t udp_port() const noexcept { return udp_port_; }
  // Datagrams that found the socket's buffer full, as far as a later one told.
  std::uint32_t kernel_drops() const noexcept { return kernel_drops_; }
  // What the kernel granted of the buffer, with the cure where it is less; else empty.
  const std::string& warning() const noexcept { return warning_; }

 private:
  struct Batch;
  LegSocket(UniqueFd fd, std::uint16_t udp_port, std::string warning);

  void note_drops(unsigned index) noexcept;

  UniqueFd fd_;
  std::uint16_t udp_port_;
  std::string warning_;
  std::uint32_t kernel_drops_ = 0;
  std::array<Datagram, kBatch> received_;
  std::shared_ptr<Batch> batch_;  // what the kernel writes into; opaque here
};

}  // namespace castgate
