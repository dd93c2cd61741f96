// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/sequence/generic.h"

#include <algorithm>
#include <cstdint>

namespace castgate {
namespace {

bool read(const SequenceField& field, const std::byte* payload, std::size_t length,
          std::uint64_t& value) noexcept {
  if (std::size_t{field.at} + field.width > length) return false;
  value = 0;
  for (unsigned i = 0; i < field.width; ++i) {
    const unsigned at = field.at + (field.little ? field.width - 1 - i : i);
    value = value << 8 | std::to_integer<std::uint64_t>(payload[at]);
  }
  return true;
}

}  // namespace

bool locate_generic(const GenericSequence& sequence, const std::byte* payload, std::size_t length,
                    Located& where) noexcept {
  std::uint64_t position = 0;
  std::uint64_t count = 1;
  std::uint64_t epoch = 0;
  if (!read(sequence.position, payload, length, position)) return false;
  if (sequence.count.width != 0 && !read(sequence.count, payload, length, count)) return false;
  if (!read(sequence.epoch, payload, length, epoch) || count >= Located::kEnd) return false;
  where = {position, static_cast<std::uint32_t>(epoch ^ epoch >> 32),
           static_cast<std::uint16_t>(count)};
  return true;
}

}  // namespace castgate
