// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace castgate {

// Does a VLAN tag follow this EtherType: 802.1Q, 802.1ad, or what came before 802.1ad?
constexpr bool is_vlan_tag(unsigned ethertype) noexcept {
  return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

}  // namespace castgate
