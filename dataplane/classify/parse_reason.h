// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataplane/base/packet/parse.h"
#include "dataplane/contract/drop_reason.h"

namespace castgate {

// Why a frame that parse_packet() refuses is dropped.
inline DropReason reason_of(ParseVerdict verdict) noexcept {
  switch (verdict) {
    case ParseVerdict::Runt:
      return DropReason::Runt;
    case ParseVerdict::NotIp:
      return DropReason::NotIp;
    case ParseVerdict::NotUdp:
      return DropReason::NotUdp;
    case ParseVerdict::IpBadHeader:
      return DropReason::IpBadHeader;
    case ParseVerdict::IpTruncated:
      return DropReason::IpTruncated;
    case ParseVerdict::IpChecksum:
      return DropReason::IpChecksum;
    case ParseVerdict::UdpLength:
      return DropReason::UdpLength;
    case ParseVerdict::UdpChecksum:
      return DropReason::UdpChecksum;
    case ParseVerdict::Udp6ZeroChecksum:
      return DropReason::Udp6ZeroChecksum;
    case ParseVerdict::Fragment:
      return DropReason::Fragment;
    case ParseVerdict::VlanDepth:
      return DropReason::VlanDepth;
    case ParseVerdict::Ip6ExtensionLimit:
      return DropReason::Ip6ExtensionLimit;
    case ParseVerdict::Ip6ExtensionTruncated:
      return DropReason::Ip6ExtensionTruncated;
    case ParseVerdict::Ttl:
      return DropReason::Ttl;
    case ParseVerdict::Udp:
    case ParseVerdict::Esp:
    case ParseVerdict::Host:
      break;
  }
  return DropReason::NotUdp;
}

}  // namespace castgate
