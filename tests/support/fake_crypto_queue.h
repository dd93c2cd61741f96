// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include <rte_mbuf.h>

#include "drivers/crypto_queue.h"

namespace castgate::test {

// Gives operations back when the test says so: untouched, or where it `scrambles` and the operation
// succeeds, with other bytes.
class FakeCryptoQueue final : public CryptoQueue {
 public:
  ~FakeCryptoQueue() override {
    for (rte_crypto_op* operation : spare_) std::free(operation);
  }
  rte_crypto_op* take() noexcept override {
    if (taken_ == most) return nullptr;
    ++taken_;
    if (spare_.empty()) return made();
    rte_crypto_op* operation = spare_.back();
    spare_.pop_back();
    return operation;
  }
  void give_back(rte_crypto_op* operation) noexcept override {
    --taken_;
    spare_.push_back(operation);
  }
  unsigned submit(std::span<rte_crypto_op*> operations) noexcept override {
    const auto count = std::min<std::size_t>(operations.size(), depth - under_way.size());
    const auto taken = operations.first(count);
    under_way.insert(under_way.end(), taken.begin(), taken.end());
    return static_cast<unsigned>(count);
  }
  unsigned collect(std::span<rte_crypto_op*> operations) noexcept override {
    if (is_prompt) finish_all();
    unsigned count = 0;
    while (count < operations.size() && !done.empty()) {
      operations[count++] = done.front();
      done.pop_front();
    }
    return count;
  }
  Result<CryptoSession> make_session(std::span<const std::byte>, std::size_t bound) override {
    if (refuses) return fail("no room for another key");
    return CryptoSession{std::make_shared<int>(0), bound};
  }
  // The one at this place is done.
  void finish(std::size_t at, rte_crypto_op_status how = RTE_CRYPTO_OP_STATUS_SUCCESS) {
    rte_crypto_op* operation = under_way.at(at);
    operation->status = static_cast<std::uint8_t>(how);
    if (scrambles && how == RTE_CRYPTO_OP_STATUS_SUCCESS) scramble(operation);
    under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(at));
    done.push_back(operation);
  }
  void finish_all() {
    while (!under_way.empty()) finish(0);
  }

  std::size_t depth = 4'096;
  std::size_t most = 4'096;
  bool scrambles = false;
  bool refuses = false;    // sessions
  bool is_prompt = false;  // it is done with all that it is given
  std::deque<rte_crypto_op*> under_way;
  std::deque<rte_crypto_op*> done;

 private:
  static rte_crypto_op* made() noexcept {
    auto* operation = static_cast<rte_crypto_op*>(std::calloc(1, kUserEnd + 64));
    operation->type = RTE_CRYPTO_OP_TYPE_SYMMETRIC;
    return operation;
  }
  static void scramble(const rte_crypto_op* operation) {
    const rte_crypto_sym_op& cipher = *operation->sym;
    const auto& data = cipher.aead.data;
    auto* at = rte_pktmbuf_mtod_offset(cipher.m_src, std::uint8_t*, data.offset);
    for (std::uint32_t i = 0; i < data.length; ++i)
      at[i] = static_cast<std::uint8_t>(at[i] ^ 0x80 ^ i);
  }
  std::vector<rte_crypto_op*> spare_;
  std::size_t taken_ = 0;
};

}  // namespace castgate::test
