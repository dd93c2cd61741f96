// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataplane/base/restamp/datagram.h"
#include "dataplane/stage.h"

namespace castgate {

inline HeaderPlaces places_of(const PacketTag& tag) noexcept {
  return {tag.l3_at, tag.udp_at, (tag.flags & PacketTag::kIp6) != 0};
}

}  // namespace castgate
