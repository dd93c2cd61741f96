// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/protect/secret_memory.h"

#include <atomic>
#include <cstring>
#include <memory_resource>
#include <sys/mman.h>

#include "dataplane/base/check.h"

namespace castgate {
namespace {

std::atomic<bool> every_page_locked{true};

// Whole pages, never given back to the process's heap.
class LockedPages final : public std::pmr::memory_resource {
  static constexpr std::size_t kPage = 4096;
  static std::size_t whole_pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    CG_CHECK(alignment <= kPage);
    const std::size_t length = whole_pages(bytes);
    void* at = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CG_CHECK(at != MAP_FAILED);
    CG_CHECK(madvise(at, length, MADV_DONTDUMP) == 0);
    CG_CHECK(madvise(at, length, MADV_WIPEONFORK) == 0);
    if (mlock2(at, length, 0) != 0) every_page_locked = false;  // sanitizers make mlock() nothing
    return at;
  }
  void do_deallocate(void* at, std::size_t bytes, std::size_t) override {
    munmap(at, whole_pages(bytes));
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

// Lives to the end of the process, as secrets in static objects may.
std::pmr::memory_resource& pools() {
  static auto* pages = new LockedPages;
  static auto* made = new std::pmr::synchronized_pool_resource(
      std::pmr::pool_options{.max_blocks_per_chunk = 1024, .largest_required_pool_block = 8192},
      pages);
  return *made;
}

}  // namespace

void* SecretMemory::take(std::size_t bytes, std::size_t alignment) {
  void* at = pools().allocate(bytes, alignment);
  std::memset(at, 0, bytes);
  return at;
}

void SecretMemory::give_back(void* at, std::size_t bytes, std::size_t alignment) noexcept {
  explicit_bzero(at, bytes);
  pools().deallocate(at, bytes, alignment);
}

bool SecretMemory::is_locked() noexcept {
  return every_page_locked;
}

bool equal_secrets(const std::byte* one, const std::byte* other, std::size_t length) noexcept {
  volatile unsigned difference = 0;
  for (std::size_t i = 0; i < length; ++i)
    difference = difference | std::to_integer<unsigned>(one[i] ^ other[i]);
  return difference == 0;
}

}  // namespace castgate
