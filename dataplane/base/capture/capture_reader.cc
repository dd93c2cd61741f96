// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/capture/capture_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <pcap/pcap.h>
#include <sys/stat.h>
#include <system_error>
#include <utility>
#include <zlib.h>

namespace castgate {
namespace {

// Bounds a forged time: 64-bit nanoseconds end 9'223'372'036 s after 1970.
constexpr std::int64_t kLastSecond = 9'000'000'000;
constexpr unsigned kReadAhead = 128 * 1024;  // bytes; hides the cost of small reads

std::string why(int error_number) {
  return std::generic_category().message(error_number);
}

Instant time_of(const pcap_pkthdr& header) noexcept {
  const auto seconds = std::clamp<std::int64_t>(header.ts.tv_sec, -kLastSecond, kLastSecond);
  const auto fraction = std::clamp<std::int64_t>(header.ts.tv_usec, 0, 999'999'999);
  return {seconds * 1'000'000'000 + fraction};  // nanoseconds: asked for in start()
}

}  // namespace

// Feeds libpcap. zlib hands plain files through as they are.
struct CaptureReader::Inflater {
  gzFile file = nullptr;
  std::string error;  // of the file or of its compression

  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (file != nullptr) gzclose(file);
  }

  static ssize_t read(void* cookie, char* buffer, std::size_t size) {
    auto* self = static_cast<Inflater*>(cookie);
    const int got = gzread(self->file, buffer, static_cast<unsigned>(std::min(size, 1uz << 30)));
    if (got > 0) return got;
    int code = Z_OK;
    const char* text = gzerror(self->file, &code);
    // A gzip file cut short gives what it had first, and says so only at its end.
    if (code == Z_OK || code == Z_STREAM_END) return got;
    self->error = code == Z_ERRNO       ? why(errno)
                  : code == Z_BUF_ERROR ? "the gzip file is cut short"
                                        : std::string(text);
    errno = EIO;
    return -1;
  }

  static int close(void* cookie) {
    delete static_cast<Inflater*>(cookie);
    return 0;
  }
};

void CaptureReader::PcapCloser::operator()(pcap* capture) const noexcept {
  pcap_close(capture);
}

Result<CaptureReader> CaptureReader::open(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return fail(fmt::format("{}: {}", path, why(errno)));
  if (S_ISDIR(status.st_mode)) return fail(path + ": is a directory, not a capture");
  auto inflater = std::make_unique<Inflater>();
  inflater->file = gzopen(path.c_str(), "rbe");
  if (inflater->file == nullptr) return fail(fmt::format("{}: {}", path, why(errno)));
  gzbuffer(inflater->file, kReadAhead);
  cookie_io_functions_t calls{};
  calls.read = Inflater::read;
  calls.close = Inflater::close;
  std::FILE* file = fopencookie(inflater.get(), "rb", calls);
  if (file == nullptr) return fail(fmt::format("{}: {}", path, why(errno)));
  return start(path, inflater.release(), file);
}

Result<CaptureReader> CaptureReader::from_memory(std::span<const std::byte> bytes) {
  if (bytes.empty()) return fail("memory: not a capture: it is empty");
  // "r": libpcap only reads, but fmemopen has no type for that.
  std::FILE* file = fmemopen(const_cast<std::byte*>(bytes.data()), bytes.size(), "rb");
  if (file == nullptr) return fail(fmt::format("memory: {}", why(errno)));
  return start("memory", nullptr, file);
}

Result<CaptureReader> CaptureReader::start(std::string name, Inflater* inflater, std::FILE* file) {
  CaptureReader reader(std::move(name));
  std::setvbuf(file, nullptr, _IOFBF, kReadAhead);
  std::array<char, PCAP_ERRBUF_SIZE> text{};
  reader.capture_.reset(
      pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, text.data()));
  if (reader.capture_ == nullptr) {
    const bool unreadable = inflater != nullptr && !inflater->error.empty();
    const std::string reason = unreadable ? inflater->error : std::string(text.data());
    std::fclose(file);  // libpcap takes the file only on success
    return fail(fmt::format("{}: not a capture: {}", reader.name_, reason));
  }
  reader.inflater_ = inflater;
  const int link = pcap_datalink(reader.capture_.get());
  if (link != DLT_EN10MB) {
    const char* kind = pcap_datalink_val_to_name(link);
    return fail(fmt::format("{}: link type {} ({}); only Ethernet captures are read", reader.name_,
                            kind != nullptr ? kind : "unknown", link));
  }
  return reader;
}

Result<std::optional<CapturedFrame>> CaptureReader::next() {
  if (!capture_) return std::nullopt;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  const int outcome = pcap_next_ex(capture_.get(), &header, &data);
  if (outcome == 1) {
    ++frames_;
    const CapturedFrame frame{time_of(*header), std::as_bytes(std::span(data, header->caplen)),
                              header->len};
    if (frame.snapped()) ++snapped_frames_;
    return frame;
  }
  const std::string text = inflater_ != nullptr && !inflater_->error.empty() ? inflater_->error
                           : outcome == PCAP_ERROR_BREAK                     ? ""
                                                         : pcap_geterr(capture_.get());
  capture_.reset();
  if (text.empty()) return std::nullopt;
  return fail(fmt::format("{}: frame {}: {}", name_, frames_ + 1, text));
}

}  // namespace castgate
