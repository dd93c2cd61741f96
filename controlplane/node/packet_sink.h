// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "dataplane/base/address.h"
#include "dataplane/base/error.h"

namespace castgate {

// Where the merged stream goes, packet by packet. Used by the receiving thread.
class PacketSink {
 public:
  using Payload = std::span<const std::byte>;
  static constexpr std::size_t kMost = 32;  // payloads in one call

  // udp://ADDRESS:PORT, file:PATH, or - for standard output.
  static Result<std::unique_ptr<PacketSink>> open(const std::string& target);

  PacketSink() = default;
  PacketSink(const PacketSink&) = delete;
  PacketSink& operator=(const PacketSink&) = delete;
  virtual ~PacketSink() = default;

  // A payload that finds no room is dropped whole and counted. Never waits for a reader.
  virtual void write(std::span<const Payload> payloads) noexcept = 0;
  // Nothing more comes; what was taken is written, as far as the reader takes it within seconds.
  virtual void finish() noexcept {}
  // Why nothing can be written any more; nothing while it can.
  virtual std::optional<Error> failure() const { return std::nullopt; }
  virtual bool is_datagrams() const noexcept { return false; }
  std::uint64_t dropped() const noexcept { return dropped_; }

 protected:
  std::uint64_t dropped_ = 0;
};

// The parts of open(). `name`: for people. Takes the descriptor.
Result<std::unique_ptr<PacketSink>> open_udp_sink(const Endpoint& to);
Result<std::unique_ptr<PacketSink>> open_byte_sink(int fd, const std::string& name);

}  // namespace castgate
