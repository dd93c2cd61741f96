// SPDX-License-Identifier: Apache-2.0
// Membership reports of our own making, for interfaces where no query can be given to the kernel.
#pragma once

#include <cstddef>
#include <vector>

#include "dataplane/base/address.h"

namespace castgate {

// What is joined on one network: a group, from any source where none is named.
struct JoinedGroup {
  IpAddress group;
  std::vector<IpAddress> sources;
  bool operator==(const JoinedGroup&) const = default;
};

// Current-state reports, IGMPv3 (RFC 3376 4.2) or MLDv2 (RFC 3810 5.2) by the family of the groups,
// each for one packet. Expects one family. IGMP's checksum is filled in; MLD's is left to the
// kernel.
std::vector<std::vector<std::byte>> current_state_reports(const std::vector<JoinedGroup>& joined);

// IGMPv2 (RFC 2236), sent to the group itself.
std::vector<std::byte> igmp2_report(const IpAddress& group);

}  // namespace castgate
