// SPDX-License-Identifier: Apache-2.0
// Any payload may come where RTP headers are read, put on and taken off: nothing outside of it is
// touched, and what was put on comes off again. The first byte chooses, the rest is the payload.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/check.h"
#include "dataplane/base/checksum.h"
#include "dataplane/base/restamp/datagram.h"
#include "dataplane/base/rtp/locate.h"

namespace castgate {
namespace {

using Bytes = std::vector<std::byte>;

constexpr HeaderPlaces kAt{.l3_at = 0, .udp_at = 20, .v6 = false};

// IPv4 and UDP before the payload, with both checksums.
Bytes datagram(std::span<const std::byte> payload) {
  Bytes made(kAt.payload_at() + payload.size());
  std::ranges::copy(payload, made.begin() + kAt.payload_at());
  made[0] = std::byte{0x45};
  made[9] = std::byte{17};
  store_be16(made.data() + 2, static_cast<std::uint16_t>(made.size()));
  store_raw(made.data() + 10, static_cast<std::uint16_t>(~fold_sum(ones_sum(made.data(), 20))));
  const std::size_t length = made.size() - kAt.udp_at;
  store_be16(made.data() + 24, static_cast<std::uint16_t>(length));
  const std::uint64_t pseudo = (17u << 8) + load_raw<std::uint16_t>(made.data() + 24);
  const std::uint64_t sum = ones_sum(made.data() + kAt.udp_at, length) + pseudo;
  const auto checksum = static_cast<std::uint16_t>(~fold_sum(sum));
  store_raw(made.data() + 26, checksum == 0 ? std::uint16_t{0xffff} : checksum);
  return made;
}

void check_sums(std::span<const std::byte> frame) {
  CG_CHECK(ip_header_sums_up(frame.data()));
  CG_CHECK(load_be16(frame.data() + 2) == frame.size());
  CG_CHECK(load_be16(frame.data() + 24) == frame.size() - kAt.udp_at);
  CG_CHECK(udp_sums_up(frame.subspan(12, 8), frame.subspan(kAt.udp_at)));
}

void check_insert(std::span<const std::byte> payload, const RtpStamp& stamp) {
  const Bytes came = datagram(payload);
  Bytes memory(kRtpHeader + came.size());
  std::ranges::copy(came, memory.begin() + kRtpHeader);
  insert_rtp(memory.data() + kRtpHeader, kAt, stamp);
  check_sums(memory);
  const std::byte* rtp = memory.data() + kAt.payload_at();
  const std::size_t length = payload.size() + kRtpHeader;
  Located where{};
  CG_CHECK(locate_rtp(rtp, length, where) && where.epoch == stamp.ssrc);
  RtpFrame found;
  CG_CHECK(find_rtp_frame(rtp, length, found) && found.header == kRtpHeader && found.padding == 0);
  strip_rtp(memory.data(), kAt, length, found);
  CG_CHECK(std::ranges::equal(std::span(memory).subspan(kRtpHeader), came));
}

void check_strip(std::span<const std::byte> payload, const RtpFrame& rtp) {
  Bytes memory = datagram(payload);
  strip_rtp(memory.data(), kAt, payload.size(), rtp);
  const Bytes wanted =
      datagram(payload.subspan(rtp.header, payload.size() - rtp.header - rtp.padding));
  check_sums(std::span(memory).subspan(rtp.header, wanted.size()));
  CG_CHECK(std::ranges::equal(std::span(memory).subspan(rtp.header, wanted.size()), wanted));
}

void check_numbers(std::span<const std::byte> payload, const RtpStamp& stamp,
                   std::size_t extended_at) {
  Bytes memory = datagram(payload);
  write_rtp_numbers(memory.data(), kAt, stamp, extended_at);
  check_sums(memory);
  Located where{};
  const std::byte* rtp = memory.data() + kAt.payload_at();
  CG_CHECK(extended_at != 0 ? locate_rtp_extended(rtp, payload.size(), where)
                            : locate_rtp(rtp, payload.size(), where));
  const std::uint32_t mask = extended_at != 0 ? 0xffffffffu : 0xffffu;
  CG_CHECK(where.epoch == stamp.ssrc && where.raw == (stamp.numbers.sequence & mask));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 9'000;
  if (size == 0 || size > kMost) return 0;
  const auto payload = std::as_bytes(std::span(data, size)).subspan(1);
  const std::uint32_t choice = data[0] * 0x01020305u;
  const RtpStamp stamp{static_cast<std::uint8_t>(choice & 0x7f), ~choice, {choice, choice << 3}};
  // Of exactly this size, so that a read past its end is seen.
  const Bytes exact(payload.begin(), payload.end());
  check_insert(exact, stamp);
  RtpFrame rtp;
  if (find_rtp_frame(exact.data(), exact.size(), rtp)) check_strip(exact, rtp);
  Located where{};
  if (!locate_rtp(exact.data(), exact.size(), where)) return 0;
  const std::size_t header = rtp_header_length(exact.data(), exact.size());
  CG_CHECK(header >= kRtpHeader && header <= exact.size());
  check_numbers(exact, stamp, 0);
  if (locate_rtp_extended(exact.data(), exact.size(), where)) check_numbers(exact, stamp, header);
  return 0;
}

}  // namespace castgate
