// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "dataplane/base/srtp/srtp_cm.h"
#include "dataplane/base/srtp/srtp_gcm.h"
#include "dataplane/contract/client_key.h"
#include "dataplane/contract/protect_spec.h"

namespace castgate {

// The key of one client alone, and how far its numbers have come, which begin at 0 as it joins. The
// control thread sets it before the client is there; all else is the worker's. Holds key material:
// in SecretMemory alone.
class alignas(64) ClientSeal {
 public:
  ClientSeal() = default;
  ClientSeal(const ClientSeal&) = delete;
  ClientSeal& operator=(const ClientSeal&) = delete;

  // Of a spec that is_isolated().
  void set(const Ciphers& ciphers, const ProtectSpec& spec, const ClientKey& key);
  // The client has left.
  void wipe() noexcept;

  // The next number; false where none is left, or there is no key.
  bool take(std::uint64_t& number) noexcept {
    if (next_ >= end_) return false;
    number = next_++;
    return true;
  }
  // For any thread: how many were taken.
  std::uint64_t taken() const noexcept {
    return std::atomic_ref(const_cast<std::uint64_t&>(next_)).load(std::memory_order_relaxed);
  }

  // As set() was told to.
  const GcmKey& gcm() const noexcept { return as<GcmKey>(); }
  const SrtpGcm::Salt& gcm_salt() const noexcept { return salt_; }
  const SrtpCm& cm() const noexcept { return as<SrtpCm>(); }
  std::uint32_t ssrc() const noexcept { return ssrc_; }

  // What sealing reads of it, in the line after the numbers first.
  void fetch(std::size_t key_bytes) const noexcept {
    __builtin_prefetch(&next_, 1);
    for (std::size_t at = 0; at < key_bytes; at += 64) __builtin_prefetch(key_.data() + at);
  }

  // Packets that could not be sealed; read by the control thread.
  std::uint32_t& drops() noexcept { return drops_; }
  const std::uint32_t& drops() const noexcept { return drops_; }

 private:
  template <class T>
  const T& as() const noexcept {
    return *std::launder(reinterpret_cast<const T*>(key_.data()));
  }
  template <class T, class... Arguments>
  void make(Arguments&&... arguments) {
    static_assert(sizeof(T) <= kKeyRoom && alignof(T) <= alignof(ClientSeal));
    new (key_.data()) T(std::forward<Arguments>(arguments)...);
  }

  static constexpr std::size_t kKeyRoom = sizeof(GcmKey);

  alignas(64) std::array<std::byte, kKeyRoom> key_{};
  // One line.
  alignas(64) std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
  SrtpGcm::Salt salt_{};
  std::uint32_t ssrc_ = 0;
  std::uint32_t drops_ = 0;
};

static_assert(sizeof(ClientSeal) == sizeof(GcmKey) + 64);

// Those of a ClientChunk. What is aligned to pages, SecretMemory keeps in slabs.
struct alignas(4096) ClientSeals : std::array<ClientSeal, 64> {};

}  // namespace castgate
