// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/capture/compare.h"

#include <algorithm>
#include <fmt/format.h>
#include <span>

#include "dataplane/base/capture/capture_reader.h"
#include "dataplane/base/describe/describe.h"

namespace castgate {
namespace {

constexpr std::size_t kBefore = 4;  // bytes of hex
constexpr std::size_t kShown = 16;

// One line of hex: from kBefore bytes before the first that differs, which is in brackets.
std::string hex_around(std::span<const std::byte> bytes, std::size_t offset) {
  const std::size_t from = offset > kBefore ? offset - kBefore : 0;
  std::string line = from > 0 ? "…" : "";
  for (std::size_t i = from; i < std::min(from + kShown, bytes.size()); ++i) {
    const auto value = std::to_integer<unsigned>(bytes[i]);
    line += fmt::format(fmt::runtime(i == offset ? " [{:02x}]" : " {:02x}"), value);
  }
  if (from + kShown < bytes.size()) return line + " …";
  return offset >= bytes.size() ? line + " [end]" : line;
}

std::vector<std::byte> kept(const std::optional<CapturedFrame>& frame) {
  if (!frame) return {};
  return {frame->bytes.begin(), frame->bytes.end()};
}

std::optional<DifferenceKind> kind_of(const std::optional<CapturedFrame>& expected,
                                      const std::optional<CapturedFrame>& actual, bool times) {
  if (!expected || !actual) {
    if (expected) return DifferenceKind::Missing;
    if (actual) return DifferenceKind::Extra;
    return std::nullopt;
  }
  if (!std::ranges::equal(expected->bytes, actual->bytes)) return DifferenceKind::Bytes;
  if (times && expected->time != actual->time) return DifferenceKind::Time;
  return std::nullopt;
}

CaptureDifference difference_of(DifferenceKind kind, std::uint64_t number,
                                const std::optional<CapturedFrame>& expected,
                                const std::optional<CapturedFrame>& actual) {
  CaptureDifference found;
  found.kind = kind;
  found.frame = number;
  if (expected) found.expected_time = expected->time;
  if (actual) found.actual_time = actual->time;
  found.expected = kept(expected);
  found.actual = kept(actual);
  if (kind != DifferenceKind::Bytes) return found;
  const auto where = std::ranges::mismatch(found.expected, found.actual);
  found.offset = static_cast<std::size_t>(where.in1 - found.expected.begin());
  const bool longer = found.actual.size() > found.expected.size();
  found.field = field_at(longer ? found.actual : found.expected, found.offset);
  return found;
}

std::string headline(const CaptureDifference& found) {
  switch (found.kind) {
    case DifferenceKind::Missing:
      return fmt::format("frame {} is missing", found.frame);
    case DifferenceKind::Extra:
      return fmt::format("frame {} was not expected", found.frame);
    case DifferenceKind::Time:
      return fmt::format("frame {} left {} ns {} than expected", found.frame,
                         std::abs(found.actual_time.ns - found.expected_time.ns),
                         found.actual_time > found.expected_time ? "later" : "earlier");
    case DifferenceKind::Bytes:
      break;
  }
  return fmt::format("frame {} differs at byte {} ({})", found.frame, found.offset, found.field);
}

}  // namespace

std::string CaptureDifference::to_string() const {
  std::string text = headline(*this);
  const bool bytes = kind == DifferenceKind::Bytes;
  if (kind != DifferenceKind::Extra) text += "\n  expected  " + describe(expected);
  if (bytes) text += "\n           " + hex_around(expected, offset);
  if (kind == DifferenceKind::Missing) return text;
  text += "\n  got       " + describe(actual);
  if (bytes) text += "\n           " + hex_around(actual, offset);
  return text;
}

Result<std::optional<CaptureDifference>> compare_captures(const std::string& expected_path,
                                                          const std::string& actual_path,
                                                          bool times) {
  auto expected = CaptureReader::open(expected_path);
  if (!expected) return std::unexpected(expected.error());
  auto actual = CaptureReader::open(actual_path);
  if (!actual) return std::unexpected(actual.error());
  for (std::uint64_t number = 1;; ++number) {
    const auto wanted = expected->next();
    if (!wanted) return std::unexpected(wanted.error());
    const auto got = actual->next();
    if (!got) return std::unexpected(got.error());
    if (const auto kind = kind_of(*wanted, *got, times)) {
      return difference_of(*kind, number, *wanted, *got);
    }
    if (!*wanted && !*got) return std::nullopt;
  }
}

}  // namespace castgate
