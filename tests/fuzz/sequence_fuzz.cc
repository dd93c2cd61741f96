// SPDX-License-Identifier: Apache-2.0
// Any payload may come where messages are numbered: what is located lies in it, and a packet that
// is cut is located where the cut says. The first byte chooses, the next eight describe a generic
// format, the rest is the payload.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/base/sequence/generic.h"
#include "dataplane/base/sequence/messages.h"

namespace castgate {
namespace {

using Bytes = std::span<const std::byte>;
using Locate = bool (*)(const std::byte*, std::size_t, Located&) noexcept;
using Cut = std::size_t (*)(std::byte*, std::size_t, unsigned, unsigned) noexcept;

void check_cut(Bytes payload, const Located& whole, unsigned choice, Locate locate, Cut cut) {
  if (whole.count == 0 || whole.count == Located::kEnd) return;
  const unsigned skip = choice % whole.count;
  const unsigned count = 1 + choice / 7 % (whole.count - skip);
  std::vector<std::byte> packet(payload.begin(), payload.end());
  const std::size_t length = cut(packet.data(), packet.size(), skip, count);
  CG_CHECK(length <= payload.size());
  if (length == 0) CG_CHECK(std::ranges::equal(packet, payload));
  if (length == 0) return;
  packet.resize(length);
  packet.shrink_to_fit();
  Located part{};
  CG_CHECK(locate(packet.data(), length, part));
  CG_CHECK(part.raw == whole.raw + skip && part.count == count && part.epoch == whole.epoch);
}

GenericSequence generic_of(Bytes bytes) {
  const auto number = [&](std::size_t at) { return std::to_integer<unsigned>(bytes[at]); };
  const auto field = [&](std::size_t at, unsigned least, unsigned most) {
    return SequenceField{number(at), least + number(at + 1) % (most - least + 1),
                         number(at + 1) > 127};
  };
  return {field(0, 2, 8), field(2, 0, 2), field(4, 0, 8)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 9;
  if (size < kHead) return 0;
  const Bytes all = std::as_bytes(std::span(data, size));
  // Of exactly this size, so that a read past its end is seen.
  const std::vector<std::byte> payload(all.begin() + kHead, all.end());
  const unsigned choice = data[0];
  Located where{};
  if (locate_moldudp64(payload.data(), payload.size(), where)) {
    CG_CHECK(payload.size() >= 20);
    check_cut(payload, where, choice, locate_moldudp64, cut_moldudp64);
  }
  if (locate_iex_tp(payload.data(), payload.size(), where)) {
    CG_CHECK(payload.size() >= 40 && where.count != Located::kEnd);
    check_cut(payload, where, choice, locate_iex_tp, cut_iex_tp);
  }
  if (locate_cme_mdp3(payload.data(), payload.size(), where)) CG_CHECK(payload.size() >= 12);
  const GenericSequence sequence = generic_of(all.subspan(1, 8));
  if (locate_generic(sequence, payload.data(), payload.size(), where)) {
    CG_CHECK(where.count < Located::kEnd && (sequence.count.width != 0 || where.count == 1));
    const unsigned width = width_of(sequence);
    CG_CHECK(width == 64 || where.raw >> width == 0);
  }
  return 0;
}

}  // namespace castgate
