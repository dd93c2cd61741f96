// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <rte_crypto.h>

#include "dataplane/base/error.h"

namespace castgate {

// A key of AES-GCM as a device has it, for messages with so many authenticated bytes beside them.
struct CryptoSession {
  std::shared_ptr<void> handle;  // rte_cryptodev_sym_session, given back with the last one
  std::size_t bound = 0;
};

// One worker's way to a device that encrypts: what is submitted comes back later, in any order.
class CryptoQueue {
 public:
  // What an operation has room for: a nonce, and authenticated bytes that are in no packet.
  static constexpr std::size_t kNonceAt = sizeof(rte_crypto_op) + sizeof(rte_crypto_sym_op);
  static constexpr std::size_t kNonce = 12;
  static constexpr std::size_t kBoundAt = kNonceAt + 16;
  static constexpr std::size_t kBound = 16;
  static constexpr std::size_t kUserAt = kBoundAt + kBound;  // a number of its user's
  static constexpr std::size_t kUserEnd = kUserAt + 8;

  CryptoQueue() = default;
  CryptoQueue(const CryptoQueue&) = delete;
  CryptoQueue& operator=(const CryptoQueue&) = delete;
  virtual ~CryptoQueue() = default;

  // Null where all are in use.
  virtual rte_crypto_op* take() noexcept = 0;
  virtual void give_back(rte_crypto_op* operation) noexcept = 0;
  // How many it took, from the first one on; the others stay the caller's.
  virtual unsigned submit(std::span<rte_crypto_op*> operations) noexcept = 0;
  // How many came back.
  virtual unsigned collect(std::span<rte_crypto_op*> operations) noexcept = 0;

  // For any thread but a worker. `key`: 16 or 32 bytes.
  virtual Result<CryptoSession> make_session(std::span<const std::byte> key, std::size_t bound) = 0;
};

}  // namespace castgate
