// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include <rte_mbuf.h>

#include "dataplane/base/protect/gcm_queue.h"
#include "drivers/crypto_queue.h"

namespace castgate {

// Packets that a crypto device encrypts. They leave in the order in which they came, whatever the
// order is in which the device is done with them.
class DeviceSealer {
 public:
  static constexpr unsigned kMost = 1'024;  // packets at a time; a power of two

  explicit DeviceSealer(CryptoQueue& queue) noexcept : queue_(queue) {}
  // Nothing may be under way in the device.
  ~DeviceSealer();
  DeviceSealer(const DeviceSealer&) = delete;
  DeviceSealer& operator=(const DeviceSealer&) = delete;

  unsigned size() const noexcept { return last_ - first_; }
  // What the job seals, in place, within `packet`; it is the sealer's until it leaves. False: the
  // device has more to do than it can, and nothing was done.
  bool add(const GcmJob& job, rte_mbuf* packet, const CryptoSession& session) noexcept;
  // One that is sealed already and leaves after those before it. False as above.
  bool add_sealed(rte_mbuf* packet) noexcept;
  // Gives the device what waits, and looks what it has done.
  void work() noexcept;

  // The first one, once it is done; null where none is. `good`: it is sealed, and not as it was.
  rte_mbuf* take(bool& good) noexcept;

 private:
  enum class State : std::uint8_t { Waits, Sealed, Failed };
  struct Entry {
    rte_mbuf* packet;
    State state;
  };
  Entry& entry(std::uint64_t number) noexcept { return entries_[number % kMost]; }
  void submit() noexcept;
  void collect() noexcept;

  CryptoQueue& queue_;
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::array<Entry, kMost> entries_{};
  std::array<rte_crypto_op*, kMost> waiting_{};  // for the device; at its begin
  unsigned waits_ = 0;
};

}  // namespace castgate
