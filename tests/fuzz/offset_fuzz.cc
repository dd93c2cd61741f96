// SPDX-License-Identifier: Apache-2.0
// Legs may bring whatever numbers and payloads they like: a learner passes on only what one mapping
// makes of them, to a reference's epoch, and never a payload of which it knows that the reference
// has another there. Four bytes are a packet. A first byte from 0xc0 on: a number is written into
// what follows, anywhere.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/base/checksum.h"
#include "dataplane/base/offset/stream_offsets.h"
#include "dataplane/base/restamp/datagram.h"

namespace castgate {
namespace {

using Bytes = std::vector<std::byte>;

constexpr unsigned kLegs = 4;  // two of the reference, one of them moved, and two learners
constexpr unsigned kWidth = 16;

void check_written(std::span<const std::byte> bytes) {
  constexpr HeaderPlaces kAt{.l3_at = 0, .udp_at = 20, .v6 = false};
  if (bytes.size() < 12) return;
  const auto choice = std::to_integer<unsigned>(bytes[0]);
  const SequenceField field{.at = std::to_integer<unsigned>(bytes[1]) % 4,
                            .width = 2 + choice % 7,
                            .little = (choice & 0x20) != 0};
  const auto payload = bytes.subspan(2);
  if (field.at + field.width > payload.size()) return;
  Bytes frame(kAt.payload_at() + payload.size());
  std::ranges::copy(payload, frame.begin() + kAt.payload_at());
  const std::size_t length = frame.size() - kAt.udp_at;
  store_be16(frame.data() + 24, static_cast<std::uint16_t>(length));
  const std::uint64_t pseudo = (17u << 8) + load_raw<std::uint16_t>(frame.data() + 24);
  const auto checksum =
      static_cast<std::uint16_t>(~fold_sum(ones_sum(frame.data() + kAt.udp_at, length) + pseudo));
  store_raw(frame.data() + 26, checksum == 0 ? std::uint16_t{0xffff} : checksum);
  const Bytes before = frame;
  const std::uint64_t value = load_be64(payload.data()) & (~0ull >> (64 - 8 * field.width));
  write_number(frame.data(), kAt, field, value);
  CG_CHECK(udp_sums_up(std::span(frame).subspan(12, 8), std::span(frame).subspan(kAt.udp_at)));
  Located where{};
  const GenericSequence generic{.position = field, .count = {}, .epoch = {}};
  const std::byte* at = frame.data() + kAt.payload_at();
  CG_CHECK(locate_generic(generic, at, payload.size(), where) && where.raw == value);
  for (std::size_t i = 0; i < frame.size(); ++i) {
    const std::size_t place = i - kAt.payload_at();
    const bool own = i >= kAt.payload_at() && place >= field.at && place < field.at + field.width;
    CG_CHECK(own || i == 26 || i == 27 || frame[i] == before[i]);
  }
}

void check_learnt(std::span<const std::byte> bytes) {
  const Fingerprint fingerprint(1, Fingerprint::Way::Portable);
  StreamOffsets offsets(
      {{}, {.automatic = false, .positions = -7}, {.automatic = true}, {.automatic = true}},
      {.width = kWidth, .max_skew = Nanoseconds{1'000'000}, .remembered = 256});
  offsets.use(fingerprint);
  std::array<PacketNumbers, kLegs> numbers{};
  for (unsigned l = 0; l < kLegs; ++l) numbers[l] = {l * 1'000u, l, l * 77u};
  std::array<bool, 256> epochs{};  // of the reference, so far
  Instant now{1};
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
    const auto flags = std::to_integer<unsigned>(bytes[0]);
    const unsigned leg = flags % kLegs;
    PacketNumbers& own = numbers[leg];
    const auto step = static_cast<std::int8_t>(bytes[2]);
    own.raw = (own.raw + static_cast<std::uint64_t>(std::int64_t{step})) & 0xffff;
    if ((flags & 4) != 0) own.raw = (own.raw * 257 + 1) & 0xffff;
    if ((flags & 8) != 0) own.epoch = (own.epoch + kLegs) & 0xff;
    own.timestamp += (flags & 16) != 0 ? 0x10001000u : 90;
    now = now + Nanoseconds{std::to_integer<std::int64_t>(bytes[3]) * 10'000};
    PacketNumbers made = own;
    const bool whole = (flags & 32) == 0;
    const bool known = offsets.admit(leg, made, whole ? bytes.subspan(1, 1) : bytes.subspan(0, 0),
                                     leg >= 2 || (flags & 64) == 0, now);
    StreamOffsets::Changed changed;
    while (offsets.take_change(changed)) CG_CHECK(changed.leg == 2 || changed.leg == 3);
    CG_CHECK(made.raw <= 0xffff);
    if (leg < 2) {
      epochs[made.epoch & 0xff] = true;
      CG_CHECK(known && made.epoch == own.epoch && made.timestamp == own.timestamp);
      CG_CHECK(made.raw == ((own.raw + (leg == 0 ? 0 : 0xffff - 6)) & 0xffff));
      continue;
    }
    if (!known) {
      CG_CHECK(made == own);
      continue;
    }
    const auto offset = offsets.view(leg).offset;
    CG_CHECK(offset && *offset >= -0x8000 && *offset < 0x8000);
    CG_CHECK(made.raw == ((own.raw + static_cast<std::uint64_t>(*offset)) & 0xffff));
    CG_CHECK(epochs[made.epoch & 0xff]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 9'000;
  constexpr std::uint8_t kWrites = 0xc0;
  if (size == 0 || size > kMost) return 0;
  const auto bytes = std::as_bytes(std::span(data, size));
  if (data[0] >= kWrites) {
    check_written(bytes);
  } else {
    check_learnt(bytes);
  }
  return 0;
}

}  // namespace castgate
