// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/restamp/datagram.h"

#include <array>
#include <bit>
#include <cstring>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"

namespace castgate {
namespace {

constexpr std::size_t kIp6Header = 40;

// Sum of the words from payload byte `from` on, as part of the whole datagram.
std::uint64_t sum_from(const std::byte* payload, std::size_t from, std::size_t count) noexcept {
  const std::uint64_t sum = ones_sum(payload + from, count);
  return from % 2 == 0 ? sum : std::byteswap(fold_sum(sum));
}

std::uint64_t sum_of_numbers(const std::byte* payload, std::size_t extended_at) noexcept {
  const std::uint64_t sum = std::uint64_t{load_raw<std::uint16_t>(payload + 2)} +
                            load_raw<std::uint32_t>(payload + 4) +
                            load_raw<std::uint32_t>(payload + 8);
  return extended_at == 0 ? sum : sum + load_raw<std::uint16_t>(payload + extended_at);
}

void store_numbers(std::byte* payload, const RtpStamp& stamp, std::size_t extended_at) noexcept {
  store_be16(payload + 2, static_cast<std::uint16_t>(stamp.numbers.sequence));
  store_be32(payload + 4, stamp.numbers.timestamp);
  store_be32(payload + 8, stamp.ssrc);
  if (extended_at == 0) return;
  store_be16(payload + extended_at, static_cast<std::uint16_t>(stamp.numbers.sequence >> 16));
}

void update_udp(std::byte* udp, std::uint64_t gone, std::uint64_t come) noexcept {
  store_raw(udp + 6, updated_checksum(load_raw<std::uint16_t>(udp + 6), gone, come));
}

// A length field of the IP header, and that header's checksum where it has one.
void set_ip_length(std::byte* ip, const HeaderPlaces& at, std::size_t udp_length) noexcept {
  const std::size_t before_udp = at.udp_at - at.l3_at;
  if (at.v6) {
    return store_be16(ip + 4, static_cast<std::uint16_t>(before_udp - kIp6Header + udp_length));
  }
  const auto old = load_raw<std::uint16_t>(ip + 2);
  store_be16(ip + 2, static_cast<std::uint16_t>(before_udp + udp_length));
  constexpr std::uint64_t kNothing = 0xffff;
  const std::uint64_t sum = kNothing - old + load_raw<std::uint16_t>(ip + 2) +
                            static_cast<std::uint16_t>(~load_raw<std::uint16_t>(ip + 10));
  store_raw(ip + 10, static_cast<std::uint16_t>(~fold_sum(sum)));
}

// Of a payload that has grown or shrunk; its length stands in the pseudo header as well.
void set_lengths(std::byte* frame, const HeaderPlaces& at, std::size_t udp_length,
                 std::uint64_t gone, std::uint64_t come) noexcept {
  std::byte* udp = frame + at.udp_at;
  const std::uint64_t old = load_raw<std::uint16_t>(udp + 4);
  store_be16(udp + 4, static_cast<std::uint16_t>(udp_length));
  const std::uint64_t now = load_raw<std::uint16_t>(udp + 4);
  update_udp(udp, gone + 2 * old, come + 2 * now);
  set_ip_length(frame + at.l3_at, at, udp_length);
}

}  // namespace

void write_rtp_numbers(std::byte* frame, const HeaderPlaces& at, const RtpStamp& stamp,
                       std::size_t extended_at) noexcept {
  std::byte* payload = frame + at.payload_at();
  const std::uint64_t gone = sum_of_numbers(payload, extended_at);
  store_numbers(payload, stamp, extended_at);
  update_udp(frame + at.udp_at, gone, sum_of_numbers(payload, extended_at));
}

void write_number(std::byte* frame, const HeaderPlaces& at, const SequenceField& field,
                  std::uint64_t value) noexcept {
  std::byte* payload = frame + at.payload_at();
  const std::uint64_t gone = sum_from(payload, field.at, field.width);
  for (unsigned i = 0; i < field.width; ++i) {
    const unsigned place = field.little ? i : field.width - 1 - i;
    payload[field.at + place] = static_cast<std::byte>(value >> 8 * i);
  }
  update_udp(frame + at.udp_at, gone, sum_from(payload, field.at, field.width));
}

void write_lengths(std::byte* frame, const HeaderPlaces& at, std::size_t udp_length) noexcept {
  store_be16(frame + at.udp_at + 4, static_cast<std::uint16_t>(udp_length));
  set_ip_length(frame + at.l3_at, at, udp_length);
}

void insert_rtp(std::byte* frame, const HeaderPlaces& at, const RtpStamp& stamp) noexcept {
  std::byte* moved = frame - kRtpHeader;
  std::memmove(moved, frame, at.payload_at());
  std::byte* rtp = moved + at.payload_at();
  rtp[0] = std::byte{0x80};
  rtp[1] = std::byte{stamp.payload_type};
  store_numbers(rtp, stamp, 0);
  const std::size_t udp_length = load_be16(moved + at.udp_at + 4) + kRtpHeader;
  set_lengths(moved, at, udp_length, 0, ones_sum(rtp, kRtpHeader));
}

void strip_rtp(std::byte* frame, const HeaderPlaces& at, std::size_t length,
               const RtpFrame& rtp) noexcept {
  const std::byte* payload = frame + at.payload_at();
  const std::uint64_t gone =
      ones_sum(payload, rtp.header) + sum_from(payload, length - rtp.padding, rtp.padding);
  std::byte* moved = frame + rtp.header;
  std::memmove(moved, frame, at.payload_at());
  set_lengths(moved, at, 8 + length - rtp.header - rtp.padding, gone, 0);
}

}  // namespace castgate
