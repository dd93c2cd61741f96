// SPDX-License-Identifier: Apache-2.0
// Any frame may come from a switch's port: a query that is told lies in it, and what is kept from
// the host is an IGMP query. Tags come off and go on without a byte lost.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "controlplane/slow_path/queries.h"
#include "dataplane/base/check.h"

namespace castgate {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Kind = MembershipQuery::Kind;
  const FrameView frame = std::as_bytes(std::span(data, size));
  if (size == 0) {  // our own are queries, too
    for (const Frame& ours : {igmp_general_query(), mld_general_query()}) {
      const auto read = query_in_frame(tagged(ours, {43, 0}));
      CG_CHECK(read && read->general && !forges_old_igmp(ours));
    }
  }
  const auto query = query_in_frame(frame);
  if (query) {
    CG_CHECK(size >= 14 + 20 + 8);
    CG_CHECK(query->interval >= Nanoseconds{0});
    CG_CHECK(query->tags == tags_of(frame));
  }
  if (forges_old_igmp(frame)) CG_CHECK(size >= 14 + 20 + 8);
  if (query && (query->kind == Kind::Igmp1 || query->kind == Kind::Igmp2)) {
    CG_CHECK(forges_old_igmp(frame));
  }
  static_cast<void>(igmp_query(frame));
  static_cast<void>(mld_query(frame));
  const Frame bare = untagged(frame);
  const VlanTags tags = tags_of(frame);
  CG_CHECK(bare.size() <= frame.size());
  const std::size_t gone = frame.size() - bare.size();
  CG_CHECK(gone >= std::size_t{4} * tags.count() && gone <= 8 && gone % 4 == 0);
  if (gone == 0) CG_CHECK(std::ranges::equal(bare, frame));
  if (gone > 0) CG_CHECK(std::ranges::equal(FrameView(bare).subspan(12), frame.subspan(12 + gone)));
  if (gone == 0 && size >= 14) {
    const VlanTags some{100, 43};
    const Frame with = tagged(frame, some);
    CG_CHECK(tags_of(with) == some && untagged(with) == bare);
  }
  return 0;
}

}  // namespace castgate
