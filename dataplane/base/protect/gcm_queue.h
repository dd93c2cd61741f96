// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include "dataplane/base/protect/ciphers.h"

namespace castgate {

// A message, and room for what it points to.
struct GcmJob {
  const GcmKey* key = nullptr;
  GcmKey::Message message{};
  std::array<std::byte, GcmKey::kNonce> nonce;
  std::array<std::byte, 12> bound;  // where it is nowhere else

  GcmJob() = default;
  GcmJob(const GcmJob&) = delete;  // `message` points here
  GcmJob& operator=(const GcmJob&) = delete;

  void seal(IMB_MGR* manager) const noexcept { key->seal(manager, message); }
};

// Messages that are sealed in their order, each some messages after it was made ready: the cipher
// reads in wide pieces what was written in narrow ones and would wait for it, and what is made
// ready meanwhile fills the pauses of its chains (DECISIONS 40).
class GcmQueue {
 public:
  static constexpr unsigned kMost = 4;  // a power of two

  unsigned size() const noexcept { return last_ - first_; }
  bool full() const noexcept { return size() == kMost; }

  // The place of the next message, not full() given; it counts from add() on.
  unsigned next() const noexcept { return last_ % kMost; }
  GcmJob& job(unsigned place) noexcept { return jobs_[place]; }
  void add() noexcept { ++last_; }

  // Seals the first one and returns its place.
  unsigned seal_first(IMB_MGR* manager) noexcept {
    const unsigned place = first_++ % kMost;
    jobs_[place].seal(manager);
    return place;
  }

 private:
  unsigned first_ = 0;
  unsigned last_ = 0;
  std::array<GcmJob, kMost> jobs_;
};

}  // namespace castgate
