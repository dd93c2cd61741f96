// SPDX-License-Identifier: Apache-2.0
// Verdicts on MPEG-TS in RTP and without: datagrams of two legs.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "dataplane/base/rtp/locate.h"
#include "dataplane/base/verdict/stream_verdict.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace castgate;
  StreamVerdict rtp({.rtp = true, .mpeg_ts = true, .legs = 2});
  StreamVerdict raw({.rtp = false, .mpeg_ts = true, .width = 32, .legs = 2});
  std::uint64_t judged = 0;
  while (size > 4) {
    const unsigned leg = data[0] & 1;
    const bool is_raw = (data[0] & 2) != 0;
    const std::size_t length = std::min<std::size_t>(data[1] * 256u + data[2], size - 3);
    // A copy of its own, so that a step over its end is seen.
    const auto* bytes = reinterpret_cast<const std::byte*>(data + 3);
    const std::vector<std::byte> payload(bytes, bytes + length);
    data += 3 + length;
    size -= 3 + length;
    Located where{judged, 0};
    if (!is_raw && !locate_rtp(payload.data(), payload.size(), where)) continue;
    const auto grade = (is_raw ? raw : rtp).judge(leg, payload, where);
    if (!grade) std::abort();
    ++judged;
    const std::size_t whole = is_raw ? length : rtp_payload(payload).size();
    if ((whole == 0 || whole % TsVerdict::kPacket != 0) && *grade != Grade::Corrupt) std::abort();
  }
  return 0;
}
