// SPDX-License-Identifier: Apache-2.0
// Files and pipes: a thread of its own writes, so that a slow disk or a paused player never holds
// up reception.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "controlplane/node/packet_sink.h"
#include "controlplane/slow_path/unique_fd.h"
#include "dataplane/base/byte_ring.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRing = 16 << 20;        // 1.3 s of 100 Mbit/s
constexpr std::size_t kFileChunk = 256 << 10;  // for few calls
constexpr std::size_t kPipeChunk = 4096;       // what a pipe with room takes without waiting
constexpr auto kPatience = 3s;                 // for a reader, once nothing more comes

class ByteSink final : public PacketSink {
 public:
  ByteSink(UniqueFd fd, std::string name, bool is_file)
      : fd_(std::move(fd)),
        name_(std::move(name)),
        is_file_(is_file),
        ring_(kRing),
        chunk_(is_file ? kFileChunk : kPipeChunk),
        writer_([this] { write_all(); }) {}
  ~ByteSink() override { finish(); }

  void write(std::span<const Payload> payloads) noexcept override {
    for (const Payload payload : payloads) {
      if (ring_.room() < payload.size()) {
        ++dropped_;
      } else {
        ring_.write(payload);
      }
    }
    ring_.publish();
    turn_.fetch_add(1, std::memory_order_release);
    turn_.notify_one();
  }

  void finish() noexcept override {
    if (!writer_.joinable()) return;
    const auto patience = std::chrono::steady_clock::now() + kPatience;
    ending_at_.store(patience.time_since_epoch().count(), std::memory_order_release);
    turn_.fetch_add(1, std::memory_order_release);
    turn_.notify_one();
    writer_.join();
  }

  std::optional<Error> failure() const override {
    const int error = error_.load(std::memory_order_acquire);
    if (error == 0) return std::nullopt;
    if (error == EPIPE) return Error{fmt::format("{}: its reader has gone", name_)};
    if (error == ETIMEDOUT) return Error{fmt::format("{}: its reader takes nothing", name_)};
    return Error{fmt::format("{}: {}", name_, std::generic_category().message(error))};
  }

 private:
  bool ending() const noexcept { return ending_at_.load(std::memory_order_acquire) != 0; }
  bool out_of_patience() const noexcept {
    return ending() && std::chrono::steady_clock::now().time_since_epoch().count() >
                           ending_at_.load(std::memory_order_acquire);
  }

  void write_all() noexcept {
    for (;;) {
      const std::uint32_t turn = turn_.load(std::memory_order_acquire);
      const bool last = ending();
      while (const std::size_t waiting = ring_.waiting()) {
        const std::size_t count = std::min(waiting, chunk_.size());
        ring_.read(std::span(chunk_).first(count));
        // After a failure what comes is read and thrown away: the receiver ends of its own accord.
        if (error_.load(std::memory_order_relaxed) == 0) put(std::span(chunk_).first(count));
      }
      if (last) return;
      turn_.wait(turn, std::memory_order_acquire);
    }
  }

  void put(std::span<const std::byte> bytes) noexcept {
    while (!bytes.empty()) {
      pollfd wait{fd_.get(), POLLOUT, 0};
      if (!is_file_ && poll(&wait, 1, 100) <= 0) {
        if (!out_of_patience()) continue;
        return error_.store(ETIMEDOUT, std::memory_order_release);
      }
      const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (written < 0) return error_.store(errno, std::memory_order_release);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  UniqueFd fd_;
  std::string name_;
  bool is_file_;
  ByteRing ring_;
  std::vector<std::byte> chunk_;
  std::atomic<std::uint32_t> turn_{0};
  std::atomic<std::int64_t> ending_at_{0};
  std::atomic<int> error_{0};
  std::thread writer_;
};

}  // namespace

Result<std::unique_ptr<PacketSink>> open_byte_sink(int fd, const std::string& name) {
  UniqueFd owned(fd);
  struct stat about{};
  if (fstat(fd, &about) != 0) return fail(fmt::format("{}: {}", name, errno_text()));
  return std::make_unique<ByteSink>(std::move(owned), name, S_ISREG(about.st_mode));
}

}  // namespace castgate
