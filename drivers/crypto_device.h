// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "drivers/crypto_queue.h"

namespace castgate {

// A crypto device of DPDK, with a queue for each worker.
class CryptoDevice {
 public:
  // `device`: a name such as crypto_openssl0 or crypto_aesni_gcm0, with arguments behind commas,
  // or the PCI address of one that DPDK's environment was started with. The error names the device
  // and what it lacks.
  static Result<std::unique_ptr<CryptoDevice>> open(const std::string& device, unsigned queues);
  // What `open` takes from EAL's memory, bytes, about.
  static constexpr std::size_t footprint(unsigned queues) noexcept {
    return (24ull << 20) + queues * (2ull << 20);
  }
  // Is it made by DPDK itself, on any machine?
  static bool is_software(const std::string& device) noexcept;
  ~CryptoDevice();
  CryptoDevice(const CryptoDevice&) = delete;
  CryptoDevice& operator=(const CryptoDevice&) = delete;

  CryptoQueue& queue(unsigned index) noexcept { return *queues_[index]; }

 private:
  CryptoDevice() = default;
  Result<void> bring_up(unsigned queues);

  std::string name_;
  std::uint8_t id_ = 0;
  bool plugged_ = false;
  bool started_ = false;
  std::shared_ptr<rte_mempool> sessions_;
  std::vector<std::unique_ptr<CryptoQueue>> queues_;
};

}  // namespace castgate
