// SPDX-License-Identifier: Apache-2.0
// Any file is read to an end or to an error, and what it holds can be described and kept again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "dataplane/base/capture/capture_reader.h"
#include "dataplane/base/check.h"
#include "dataplane/base/describe/describe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto reader = castgate::CaptureReader::from_memory(std::as_bytes(std::span(data, size)));
  if (!reader) {
    CG_CHECK(!reader.error().text.empty());
    return 0;
  }
  std::uint64_t frames = 0;
  while (true) {
    const auto next = reader->next();
    if (!next) CG_CHECK(!next.error().text.empty());
    if (!next || !next->has_value()) break;
    const auto frame = next->value_or(castgate::CapturedFrame{});
    CG_CHECK(frame.bytes.size() <= size);
    CG_CHECK(!castgate::describe(frame.bytes).empty());
    CG_CHECK(reader->frames() == ++frames);
  }
  const auto after = reader->next();
  CG_CHECK(after && !after->has_value());
  return 0;
}
