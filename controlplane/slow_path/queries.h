// SPDX-License-Identifier: Apache-2.0
// Membership queries: IGMPv1-3 (RFC 1112, 2236, 3376) and MLDv1-2 (RFC 2710, 3810).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/base/instant.h"
#include "dataplane/contract/spec.h"

namespace castgate {

using Frame = std::vector<std::byte>;
using FrameView = std::span<const std::byte>;

struct MembershipQuery {
  enum class Kind : std::uint8_t { Igmp1, Igmp2, Igmp3, Mld };
  Kind kind = Kind::Igmp3;
  bool general = true;
  Nanoseconds interval{125'000'000'000};  // the querier's; the standards' default where not told
  VlanTags tags;                          // of the frame, where there is one

  bool is_v6() const noexcept { return kind == Kind::Mld; }
};

// From a whole Ethernet frame; nothing where it is anything else or cut short.
std::optional<MembershipQuery> query_in_frame(FrameView frame) noexcept;
// From what follows the IP headers.
std::optional<MembershipQuery> igmp_query(FrameView message) noexcept;
std::optional<MembershipQuery> mld_query(FrameView message) noexcept;

// `igmp: 3`: a forged query of version 1 or 2 would turn the kernel's reports into that version,
// and with them every source filter off. Such a query must not reach the host stack.
bool forges_old_igmp(FrameView frame) noexcept;

// General queries as a querier would send them, of which a host answers by reporting all that it
// has joined. Untagged: `tagged` puts them into a VLAN.
Frame igmp_general_query();
Frame mld_general_query();
Frame tagged(FrameView frame, VlanTags tags);

// The VLANs that a frame is in, up to two, and the frame without its tags, those of VLAN 0 (a mere
// priority) included. A frame cut short within them has none and stays as it is.
VlanTags tags_of(FrameView frame) noexcept;
Frame untagged(FrameView frame);

// The Internet checksum of an ICMPv6 message between two addresses.
std::uint16_t icmp6_checksum(const IpAddress& source, const IpAddress& destination,
                             FrameView message) noexcept;

}  // namespace castgate
