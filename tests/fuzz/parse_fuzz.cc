// SPDX-License-Identifier: Apache-2.0
// Any bytes can be parsed: what is called a UDP datagram lies in the frame, and so does the header
// that tells its position.
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/check.h"
#include "dataplane/base/packet/parse.h"
#include "dataplane/base/rtp/locate.h"

namespace castgate {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = std::as_bytes(std::span(data, size));
  for (const bool sums : {false, true}) {
    PacketLayout layout;
    const ParseVerdict verdict = parse_packet(frame, {sums, sums}, layout);
    CG_CHECK((verdict == ParseVerdict::Host) == (layout.host != HostKind::None));
    if (verdict == ParseVerdict::Esp) {
      CG_CHECK(layout.udp_at + 8u >= layout.l3_at + 20u && layout.udp_at + 12u <= layout.end);
      CG_CHECK(layout.end <= size && load_be32(frame.data() + layout.udp_at + 8) == layout.spi);
    }
    if (verdict != ParseVerdict::Udp) continue;
    CG_CHECK(layout.l3_at >= 14 && layout.l3_at <= 22);
    CG_CHECK(layout.udp_at >= layout.l3_at + 20 && layout.end <= size);
    CG_CHECK(layout.end >= layout.udp_at + 8u);
    const std::byte* payload = frame.data() + layout.udp_at + 8;
    const std::size_t length = layout.end - layout.udp_at - 8;
    Located plain{};
    Located extended{};
    const bool located = locate_rtp(payload, length, plain);
    CG_CHECK(!located || (length >= 12 && plain.raw <= 0xffff));
    if (!locate_rtp_extended(payload, length, extended)) continue;
    CG_CHECK(located && length >= 14 && (extended.raw & 0xffff) == plain.raw);
  }
  return 0;
}

}  // namespace castgate
