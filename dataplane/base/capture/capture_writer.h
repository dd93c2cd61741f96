// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <zlib.h>

#include "dataplane/base/error.h"
#include "dataplane/base/instant.h"

namespace castgate {

// Writes Ethernet frames as a nanosecond pcap, gzip where the path ends in .gz. Only close() says
// whether everything reached the file; a writer destroyed without it may have lost its end.
class CaptureWriter {
 public:
  static Result<CaptureWriter> create(const std::string& path);

  // `time` is in nanoseconds since 1970; before that, or after 2106, it is brought to the edge.
  void write(Instant time, std::span<const std::byte> frame);
  Result<void> close();

  std::uint64_t frames() const noexcept { return frames_; }

 private:
  struct Closer {
    void operator()(gzFile_s* file) const noexcept;
  };

  explicit CaptureWriter(std::string path) : path_(std::move(path)) {}
  void put(std::span<const std::byte> bytes);

  std::string path_;
  std::unique_ptr<gzFile_s, Closer> file_;
  std::string error_;  // the first one
  std::uint64_t frames_ = 0;
};

}  // namespace castgate
