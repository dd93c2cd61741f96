// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace castgate {

// Memory for what must never leave the process: locked against paging, in no core dump and no child
// process, zero when it is given back. For any thread but a worker.
class SecretMemory {
 public:
  // Zeroed.
  static void* take(std::size_t bytes, std::size_t alignment);
  static void give_back(void* at, std::size_t bytes, std::size_t alignment) noexcept;
  // False once the kernel has refused to lock some of it (RLIMIT_MEMLOCK): it may reach the swap.
  static bool is_locked() noexcept;
};

// Takes the same time whatever the bytes are.
bool equal_secrets(const std::byte* one, const std::byte* other, std::size_t length) noexcept;

template <class T>
struct WipeSecret {
  void operator()(T* secret) const noexcept {
    secret->~T();
    SecretMemory::give_back(secret, sizeof(T), alignof(T));
  }
};

// Before its time is over, which a worker may do.
template <class T>
void wipe_secret(T& secret) noexcept {
  static_assert(std::is_trivially_destructible_v<T>);
  explicit_bzero(static_cast<void*>(&secret), sizeof(T));
}

// One owner; what it was is wiped with it. Nothing that is kept so may fail to be made.
template <class T>
using Secret = std::unique_ptr<T, WipeSecret<T>>;

template <class T, class... Arguments>
Secret<T> make_secret(Arguments&&... arguments) noexcept {
  void* at = SecretMemory::take(sizeof(T), alignof(T));
  return Secret<T>(new (at) T(std::forward<Arguments>(arguments)...));
}

}  // namespace castgate
