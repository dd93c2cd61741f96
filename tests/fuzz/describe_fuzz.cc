// SPDX-License-Identifier: Apache-2.0
// Any bytes can be described: every layer lies in the frame, and each byte has a name.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "dataplane/base/check.h"
#include "dataplane/base/describe/describe.h"
#include "dataplane/base/describe/dissect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = std::as_bytes(std::span(data, size));
  const auto parts = castgate::dissect(frame);
  std::size_t at = 0;
  for (const auto& span : parts.layers) {
    CG_CHECK(span.offset == at && span.length <= size - at);
    CG_CHECK(castgate::field_at(frame, at) != "end");
    at += span.length;
  }
  CG_CHECK(at == size);
  CG_CHECK(parts.payload_length <= size);
  CG_CHECK(!castgate::describe(frame).empty());
  return 0;
}
