// SPDX-License-Identifier: Apache-2.0
#include "dataplane/protect/device_sealer.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"

namespace castgate {
namespace {

constexpr unsigned kBurst = 64;

std::uint32_t offset_in(const rte_mbuf* packet, const std::byte* at) noexcept {
  return static_cast<std::uint32_t>(at - rte_pktmbuf_mtod(packet, const std::byte*));
}

}  // namespace

DeviceSealer::~DeviceSealer() {
  while (size() != 0) rte_pktmbuf_free(entry(first_++).packet);
}

bool DeviceSealer::add(const GcmJob& job, rte_mbuf* packet, const CryptoSession& session) noexcept {
  const GcmKey::Message& message = job.message;
  CG_DCHECK(message.to == message.from && message.bound.size() == session.bound);
  if (size() == kMost) return false;
  rte_crypto_op* operation = queue_.take();
  if (operation == nullptr) return false;
  rte_crypto_op_attach_sym_session(operation, session.handle.get());
  auto* own = reinterpret_cast<std::uint8_t*>(operation);
  std::memcpy(own + CryptoQueue::kNonceAt, message.nonce, CryptoQueue::kNonce);
  rte_crypto_sym_op& cipher = *operation->sym;
  cipher.m_src = packet;
  cipher.m_dst = nullptr;
  cipher.aead.data.offset = offset_in(packet, message.to);
  cipher.aead.data.length = static_cast<std::uint32_t>(message.length);
  cipher.aead.digest.data = reinterpret_cast<std::uint8_t*>(message.tag);
  cipher.aead.digest.phys_addr = rte_pktmbuf_iova_offset(packet, offset_in(packet, message.tag));
  const std::byte* bound = message.bound.data();
  if (bound == job.bound.data()) {
    std::memcpy(own + CryptoQueue::kBoundAt, bound, message.bound.size());
    cipher.aead.aad.data = own + CryptoQueue::kBoundAt;
    cipher.aead.aad.phys_addr = operation->phys_addr + CryptoQueue::kBoundAt;
  } else {
    cipher.aead.aad.data = rte_pktmbuf_mtod_offset(packet, std::uint8_t*, offset_in(packet, bound));
    cipher.aead.aad.phys_addr = rte_pktmbuf_iova_offset(packet, offset_in(packet, bound));
  }
  std::memcpy(own + CryptoQueue::kUserAt, &last_, sizeof last_);
  entry(last_++) = {packet, State::Waits};
  waiting_[waits_++] = operation;
  return true;
}

bool DeviceSealer::add_sealed(rte_mbuf* packet) noexcept {
  if (size() == kMost) return false;
  entry(last_++) = {packet, State::Sealed};
  return true;
}

void DeviceSealer::submit() noexcept {
  unsigned done = 0;
  while (done < waits_) {
    const unsigned count = std::min(waits_ - done, kBurst);
    const unsigned took = queue_.submit({waiting_.data() + done, count});
    done += took;
    if (took < count) break;
  }
  std::copy(waiting_.begin() + done, waiting_.begin() + waits_, waiting_.begin());
  waits_ -= done;
}

void DeviceSealer::collect() noexcept {
  std::array<rte_crypto_op*, kBurst> back{};
  unsigned count = 0;
  do {
    count = queue_.collect(back);
    for (rte_crypto_op* operation : std::span(back).first(count)) {
      std::uint32_t number = 0;
      std::memcpy(&number, reinterpret_cast<std::uint8_t*>(operation) + CryptoQueue::kUserAt,
                  sizeof number);
      const bool good = operation->status == RTE_CRYPTO_OP_STATUS_SUCCESS;
      entry(number).state = good ? State::Sealed : State::Failed;
      queue_.give_back(operation);
    }
  } while (count == kBurst);
}

void DeviceSealer::work() noexcept {
  submit();
  if (size() != 0) collect();
}

rte_mbuf* DeviceSealer::take(bool& good) noexcept {
  if (size() == 0 || entry(first_).state == State::Waits) return nullptr;
  const Entry& done = entry(first_++);
  good = done.state == State::Sealed;
  return done.packet;
}

}  // namespace castgate
