// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/protect/secret_memory.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory_resource>
#include <sys/mman.h>
#include <vector>

#include "dataplane/base/check.h"

namespace castgate {
namespace {

std::atomic<bool> every_page_locked{true};

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSlab = std::size_t{2} << 20;  // a huge page

constexpr std::size_t whole(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

std::byte* map_locked(std::size_t length) {
  void* at = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CG_CHECK(at != MAP_FAILED);
  CG_CHECK(madvise(at, length, MADV_DONTDUMP) == 0);
  CG_CHECK(madvise(at, length, MADV_WIPEONFORK) == 0);
  return static_cast<std::byte*>(at);
}

void lock(std::byte* at, std::size_t length) {
  if (mlock2(at, length, 0) != 0) every_page_locked = false;  // sanitizers make mlock() nothing
}

// For what is aligned to pages: there is much of it, and it is read once a packet each. It lies in
// few huge pages, where the kernel has any, and blocks of one size follow each other in them. Slabs
// stay, blocks come again. The pools before it let one thread at a time in here.
class LockedSlabs {
 public:
  void* allocate(std::size_t bytes) {
    const std::size_t length = whole(bytes, kPage);
    std::vector<std::byte*>& blocks = free_[length];
    if (blocks.empty()) add_slab(length, blocks);
    std::byte* at = blocks.back();
    blocks.pop_back();
    return at;
  }
  void deallocate(void* at, std::size_t bytes) {
    free_[whole(bytes, kPage)].push_back(static_cast<std::byte*>(at));
  }

 private:
  static void add_slab(std::size_t length, std::vector<std::byte*>& blocks) {
    std::byte* at = map_locked(2 * kSlab);
    const auto before = (kSlab - reinterpret_cast<std::uintptr_t>(at) % kSlab) % kSlab;
    if (before != 0) munmap(at, before);
    munmap(at + before + kSlab, kSlab - before);
    at += before;
    madvise(at, kSlab, MADV_HUGEPAGE);  // refused: ordinary pages
    lock(at, kSlab);
    for (std::size_t end = kSlab / length * length; end != 0; end -= length)
      blocks.push_back(at + end - length);
  }

  std::map<std::size_t, std::vector<std::byte*>> free_;  // by length
};

// Whole pages, never given back to the process's heap.
class LockedPages final : public std::pmr::memory_resource {
  static bool is_in_slabs(std::size_t bytes, std::size_t alignment) {
    return alignment == kPage && bytes <= kSlab;
  }

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    CG_CHECK(alignment <= kPage);
    if (is_in_slabs(bytes, alignment)) return slabs_.allocate(bytes);
    std::byte* at = map_locked(whole(bytes, kPage));
    lock(at, whole(bytes, kPage));
    return at;
  }
  void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override {
    if (is_in_slabs(bytes, alignment)) return slabs_.deallocate(at, bytes);
    munmap(at, whole(bytes, kPage));
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  LockedSlabs slabs_;
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
