// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "dataplane/base/error.h"
#include "dataplane/base/instant.h"

struct pcap;

namespace castgate {

// `bytes` is what was kept, without FCS; it lives until the reader's next call.
struct CapturedFrame {
  Instant time;  // nanoseconds since 1970
  std::span<const std::byte> bytes;
  std::uint32_t wire_length = 0;  // on the wire; more than bytes.size() in a snapped frame

  bool snapped() const noexcept { return bytes.size() < wire_length; }
};

// A capture of Ethernet frames, read front to back: pcap or pcapng, micro- or nanoseconds, gzip or
// not. A file that ends inside a frame is an error, never a short capture.
class CaptureReader {
 public:
  static Result<CaptureReader> open(const std::string& path);
  // Plain (not gzip) bytes, which must outlive the reader.
  static Result<CaptureReader> from_memory(std::span<const std::byte> bytes);

  // The next frame; none at the end. After an error the reader is at its end.
  Result<std::optional<CapturedFrame>> next();

  std::uint64_t frames() const noexcept { return frames_; }
  std::uint64_t snapped_frames() const noexcept { return snapped_frames_; }

 private:
  struct Inflater;
  struct PcapCloser {
    void operator()(pcap* capture) const noexcept;
  };

  explicit CaptureReader(std::string name) : name_(std::move(name)) {}
  static Result<CaptureReader> start(std::string name, Inflater* inflater, std::FILE* file);

  std::string name_;
  std::unique_ptr<pcap, PcapCloser> capture_;
  Inflater* inflater_ = nullptr;  // lives as long as capture_, whose file owns it; none for memory
  std::uint64_t frames_ = 0;
  std::uint64_t snapped_frames_ = 0;
};

}  // namespace castgate
