// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/capture/capture_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <system_error>
#include <zlib.h>

namespace castgate {
namespace {

constexpr unsigned kWriteBehind = 128 * 1024;  // bytes gathered for one write
constexpr std::int64_t kSecond = 1'000'000'000;

struct FileHeader {
  std::uint32_t magic = 0xa1b23c4d;  // pcap with nanoseconds
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t zone = 0;
  std::uint32_t accuracy = 0;
  std::uint32_t snap_length = 262144;  // the largest that libpcap reads
  std::uint32_t link_type = 1;         // Ethernet
};

struct FrameHeader {
  std::uint32_t seconds;
  std::uint32_t nanoseconds;
  std::uint32_t captured;
  std::uint32_t on_the_wire;
};

template <class Header>
std::span<const std::byte> bytes_of(const Header& header) {
  return std::as_bytes(std::span(&header, 1));
}

std::string why(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace

void CaptureWriter::Closer::operator()(gzFile_s* file) const noexcept {
  gzclose(file);
}

Result<CaptureWriter> CaptureWriter::create(const std::string& path) {
  CaptureWriter writer(path);
  // "T" hands bytes through uncompressed; "1" is fast, and captures are seldom kept.
  writer.file_.reset(gzopen(path.c_str(), path.ends_with(".gz") ? "wbe1" : "wbeT"));
  if (!writer.file_) return fail(fmt::format("{}: {}", path, why(errno)));
  gzbuffer(writer.file_.get(), kWriteBehind);
  writer.put(bytes_of(FileHeader{}));
  return writer;
}

void CaptureWriter::write(Instant time, std::span<const std::byte> frame) {
  const auto at = std::clamp<std::int64_t>(time.ns, 0, (INT64_C(1) << 32) * kSecond - 1);
  const auto length = static_cast<std::uint32_t>(frame.size());
  put(bytes_of(FrameHeader{static_cast<std::uint32_t>(at / kSecond),
                           static_cast<std::uint32_t>(at % kSecond), length, length}));
  put(frame);
  ++frames_;
}

void CaptureWriter::put(std::span<const std::byte> bytes) {
  if (!file_ || bytes.empty() || !error_.empty()) return;
  if (gzwrite(file_.get(), bytes.data(), static_cast<unsigned>(bytes.size())) > 0) return;
  int code = Z_OK;
  const char* text = gzerror(file_.get(), &code);
  error_ = code == Z_ERRNO ? why(errno) : std::string(text);
}

Result<void> CaptureWriter::close() {
  if (!file_) return {};
  const int code = gzclose(file_.release());
  if (error_.empty() && code != Z_OK) {
    error_ = code == Z_ERRNO ? why(errno) : fmt::format("zlib error {}", code);
  }
  if (!error_.empty()) return fail(fmt::format("{}: {}", path_, error_));
  return {};
}

}  // namespace castgate
