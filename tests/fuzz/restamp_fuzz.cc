// SPDX-License-Identifier: Apache-2.0
// Any payload may come where RTP headers are read, put on and taken off, and where numbers are
// written: nothing outside of it is touched, checksums stay right, and what was put on comes off
// again. The first byte chooses, the rest is the payload, over IPv4 and over IPv6.
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
#include "dataplane/base/sequence/generic.h"

namespace castgate {
namespace {

using Bytes = std::vector<std::byte>;

constexpr HeaderPlaces kIp4{.l3_at = 0, .udp_at = 20, .v6 = false};
constexpr HeaderPlaces kIp6{.l3_at = 0, .udp_at = 40, .v6 = true};

std::span<const std::byte> addresses(std::span<const std::byte> frame, const HeaderPlaces& at) {
  return at.v6 ? frame.subspan(8, 32) : frame.subspan(12, 8);
}

void write_ip(Bytes& frame, const HeaderPlaces& at) {
  if (at.v6) {
    frame[0] = std::byte{0x60};
    frame[6] = std::byte{17};
    return store_be16(frame.data() + 4, static_cast<std::uint16_t>(frame.size() - at.udp_at));
  }
  frame[0] = std::byte{0x45};
  frame[9] = std::byte{17};
  store_be16(frame.data() + 2, static_cast<std::uint16_t>(frame.size()));
  store_raw(frame.data() + 10, static_cast<std::uint16_t>(~fold_sum(ones_sum(frame.data(), 20))));
}

// IP and UDP before the payload, with their checksums.
Bytes datagram(std::span<const std::byte> payload, const HeaderPlaces& at) {
  Bytes made(at.payload_at() + payload.size());
  std::ranges::copy(payload, made.begin() + at.payload_at());
  write_ip(made, at);
  std::byte* udp = made.data() + at.udp_at;
  const std::size_t length = made.size() - at.udp_at;
  store_be16(udp + 4, static_cast<std::uint16_t>(length));
  const std::uint64_t pseudo = (17u << 8) + load_raw<std::uint16_t>(udp + 4);
  const auto checksum = static_cast<std::uint16_t>(~fold_sum(ones_sum(udp, length) + pseudo));
  store_raw(udp + 6, checksum == 0 ? std::uint16_t{0xffff} : checksum);
  return made;
}

void check_sums(std::span<const std::byte> frame, const HeaderPlaces& at) {
  const std::size_t udp_length = frame.size() - at.udp_at;
  CG_CHECK(load_be16(frame.data() + at.udp_at + 4) == udp_length);
  CG_CHECK(udp_sums_up(addresses(frame, at), frame.subspan(at.udp_at)));
  if (at.v6) {
    CG_CHECK(load_be16(frame.data() + 4) == udp_length);
    return;
  }
  CG_CHECK(ip_header_sums_up(frame.data()));
  CG_CHECK(load_be16(frame.data() + 2) == frame.size());
}

void check_insert(std::span<const std::byte> payload, const RtpStamp& stamp,
                  const HeaderPlaces& at) {
  const Bytes came = datagram(payload, at);
  Bytes memory(kRtpHeader + came.size());
  std::ranges::copy(came, memory.begin() + kRtpHeader);
  insert_rtp(memory.data() + kRtpHeader, at, stamp);
  check_sums(memory, at);
  const std::byte* rtp = memory.data() + at.payload_at();
  const std::size_t length = payload.size() + kRtpHeader;
  Located where{};
  CG_CHECK(locate_rtp(rtp, length, where) && where.epoch == stamp.ssrc);
  RtpFrame found;
  CG_CHECK(find_rtp_frame(rtp, length, found) && found.header == kRtpHeader && found.padding == 0);
  strip_rtp(memory.data(), at, length, found);
  CG_CHECK(std::ranges::equal(std::span(memory).subspan(kRtpHeader), came));
}

void check_strip(std::span<const std::byte> payload, const RtpFrame& rtp, const HeaderPlaces& at) {
  Bytes memory = datagram(payload, at);
  strip_rtp(memory.data(), at, payload.size(), rtp);
  const Bytes wanted =
      datagram(payload.subspan(rtp.header, payload.size() - rtp.header - rtp.padding), at);
  check_sums(std::span(memory).subspan(rtp.header, wanted.size()), at);
  CG_CHECK(std::ranges::equal(std::span(memory).subspan(rtp.header, wanted.size()), wanted));
}

void check_rtp_numbers(std::span<const std::byte> payload, const RtpStamp& stamp,
                       std::size_t extended_at, const HeaderPlaces& at) {
  Bytes memory = datagram(payload, at);
  write_rtp_numbers(memory.data(), at, stamp, extended_at);
  check_sums(memory, at);
  Located where{};
  const std::byte* rtp = memory.data() + at.payload_at();
  CG_CHECK(extended_at != 0 ? locate_rtp_extended(rtp, payload.size(), where)
                            : locate_rtp(rtp, payload.size(), where));
  const std::uint32_t mask = extended_at != 0 ? 0xffffffffu : 0xffffu;
  CG_CHECK(where.epoch == stamp.ssrc && where.raw == (stamp.numbers.sequence & mask));
}

// A number of any width at any place, read back byte by byte; nothing beside it changes.
void check_number(std::span<const std::byte> payload, std::uint64_t value, std::uint8_t choice,
                  const HeaderPlaces& at) {
  const unsigned width = 1 + choice % 8;
  if (payload.size() < width) return;
  const auto room = static_cast<unsigned>(payload.size() - width);
  const SequenceField field{
      .at = (choice >> 3) % (room + 1), .width = width, .little = (choice & 0x80) != 0};
  Bytes changed(payload.begin(), payload.end());
  for (unsigned i = 0; i < width; ++i) {
    const unsigned shift = 8 * (field.little ? i : width - 1 - i);
    changed[field.at + i] = static_cast<std::byte>(value >> shift);
  }
  Bytes memory = datagram(payload, at);
  write_number(memory.data(), at, field, value);
  check_sums(memory, at);
  CG_CHECK(std::ranges::equal(std::span(memory).subspan(at.payload_at()), changed));
}

void check_all(std::span<const std::byte> payload, std::uint8_t chosen, const HeaderPlaces& at) {
  const std::uint32_t choice = chosen * 0x01020305u;
  const RtpStamp stamp{static_cast<std::uint8_t>(choice & 0x7f), ~choice, {choice, choice << 3}};
  check_insert(payload, stamp, at);
  check_number(payload, choice * 0x9e3779b97f4a7c15ull, chosen, at);
  RtpFrame rtp;
  if (find_rtp_frame(payload.data(), payload.size(), rtp)) check_strip(payload, rtp, at);
  Located where{};
  if (!locate_rtp(payload.data(), payload.size(), where)) return;
  const std::size_t header = rtp_header_length(payload.data(), payload.size());
  CG_CHECK(header >= kRtpHeader && header <= payload.size());
  check_rtp_numbers(payload, stamp, 0, at);
  if (!locate_rtp_extended(payload.data(), payload.size(), where)) return;
  check_rtp_numbers(payload, stamp, header, at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 9'000;
  if (size == 0 || size > kMost) return 0;
  const auto payload = std::as_bytes(std::span(data, size)).subspan(1);
  // Of exactly this size, so that a read past its end is seen.
  const Bytes exact(payload.begin(), payload.end());
  check_all(exact, data[0], kIp4);
  check_all(exact, data[0], kIp6);
  return 0;
}

}  // namespace castgate
