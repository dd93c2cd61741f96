// SPDX-License-Identifier: Apache-2.0
// Any file is read to an end or to an error, and what it holds can be described. Each input is read
// twice: from memory, and as a file, where it may be gzip.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/base/capture/capture_reader.h"
#include "dataplane/base/check.h"
#include "dataplane/base/describe/describe.h"

namespace {

using castgate::CapturedFrame;
using castgate::CaptureReader;

void read_all(castgate::Result<CaptureReader> reader) {
  if (!reader) {
    CG_CHECK(!reader.error().text.empty());
    return;
  }
  std::uint64_t frames = 0;
  while (true) {
    const auto next = reader->next();
    if (!next) CG_CHECK(!next.error().text.empty());
    if (!next || !next->has_value()) break;
    CG_CHECK(!castgate::describe(next->value_or(CapturedFrame{}).bytes).empty());
    CG_CHECK(reader->frames() == ++frames);
  }
  const auto after = reader->next();
  CG_CHECK(after && !after->has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = memfd_create("capture", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  read_all(CaptureReader::from_memory(std::as_bytes(std::span(data, size))));
  CG_CHECK(ftruncate(file, 0) == 0);
  CG_CHECK(pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
  read_all(CaptureReader::open(path));
  return 0;
}
