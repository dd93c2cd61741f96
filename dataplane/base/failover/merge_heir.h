// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataplane/base/failover/inherited.h"
#include "dataplane/base/failover/merge_window.h"

namespace castgate {

// Makes a window of another configuration go on with a stream where `old` stands: what the old one
// keeps, remembers and counts becomes the new one's, as far as its configuration has a place for
// it; the rest leaves. The old one ends empty. Never allocates.
class MergeHeir {
 public:
  MergeHeir(MergeWindow& window, MergeWindow& old, const Inherited& from) noexcept
      : own_(window), old_(old), from_(from) {}

  void take_over(Instant now, MergeOutlet& out) noexcept;

 private:
  bool is_alike() const noexcept;
  void settle_early(Instant now, MergeOutlet& out) noexcept;
  void take_early() noexcept;
  void drop_lost_legs(MergeOutlet& out) noexcept;
  void shrink(Instant now, MergeOutlet& out) noexcept;
  void take_legs() noexcept;
  void take_choice() noexcept;
  void take_place() noexcept;
  void begin_behind() noexcept;
  void take_packets() noexcept;
  void take_words() noexcept;
  void take_slot(std::uint64_t position) noexcept;

  MergeWindow& own_;
  MergeWindow& old_;
  const Inherited& from_;
};

}  // namespace castgate
